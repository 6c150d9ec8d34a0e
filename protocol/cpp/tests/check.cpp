// Checks the twin from outside: against the shared vectors, in a live handshake, on damaged bytes.
//
//   protocol_check constants                  the protocol's version, then each code with its remedy
//   protocol_check vectors FOLDER             every vector of the folder; 0 if all came out as listed
//   protocol_check outcomes FILE              what comes of each message of a file: its type, or the code of its refusal
//   protocol_check connection FILE            the endpoint and owner of a connection file, or the code of its refusal
//   protocol_check client SECRET NAME         a client's side over standard input and output, frames in hexadecimal
#include <segue/protocol.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>

namespace wire = segue::protocol;

namespace {

using Frames = std::vector<std::string>;
using Row = std::map<std::string, std::string>;

std::vector<wire::View> views(const Frames& frames) {
    std::vector<wire::View> all;
    for (const std::string& frame : frames) all.push_back(wire::view(frame));
    return all;
}

std::string read_all(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// A number of 4 bytes, little-endian; the place moves behind it.
std::size_t read_number(const std::string& raw, std::size_t& at) {
    std::size_t number = 0;
    for (std::size_t i = 4; i-- > 0;) number = number << 8 | static_cast<unsigned char>(raw[at + i]);
    at += 4;
    return number;
}

std::string read_frame(const std::string& raw, std::size_t& at) {
    const std::size_t size = read_number(raw, at);
    at += size;
    return raw.substr(at - size, size);
}

Frames read_frames(const std::string& path) {
    const std::string raw = read_all(path);
    Frames frames;
    for (std::size_t at = 0; at + 4 <= raw.size();) frames.push_back(read_frame(raw, at));
    return frames;
}

std::vector<Row> read_rows(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> names;
    std::vector<Row> rows;
    for (std::string line; std::getline(file, line);) {
        std::vector<std::string> cells(1);
        for (const char c : line) c == '\t' ? (void)cells.emplace_back() : (void)(cells.back() += c);
        if (names.empty()) {
            names = cells;
            continue;
        }
        Row row;
        for (std::size_t i = 0; i < names.size() && i < cells.size(); ++i) row[names[i]] = cells[i];
        rows.push_back(row);
    }
    return rows;
}

std::string from_hex(const std::string& text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
    return bytes;
}

std::string to_hex(wire::View bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size; ++i) {
        text += "0123456789abcdef"[bytes.data[i] >> 4];
        text += "0123456789abcdef"[bytes.data[i] & 15];
    }
    return text;
}

template <class Array>
Array array_of(const std::string& hex) {
    Array array{};
    const std::string bytes = from_hex(hex);
    for (std::size_t i = 0; i < array.size() && i < bytes.size(); ++i) array[i] = static_cast<std::uint8_t>(bytes[i]);
    return array;
}

std::string_view type_of(const wire::Message& message) {
    return std::visit([](const auto& one) { return std::decay_t<decltype(one)>::type; }, message);
}

wire::Sender sender_of(const Row& row) {
    return row.at("sender") == "client" ? wire::Sender::client : wire::Sender::renderer;
}

// What came of a vector: the message's type, or the code of its refusal.
std::string outcome(const wire::Expected<wire::Received>& received) {
    return std::string(received ? type_of(received->message) : wire::text_of(received.error().code).name);
}

bool complain(const Row& row, const std::string& what) {
    std::cerr << row.at("name") << ": " << what << "\n";
    return false;
}

std::optional<wire::View> payload_of(const Frames& frames, std::size_t header) {
    if (frames.size() < header + 2) return {};
    return wire::view(frames[header + 1]);
}

bool check_plain(const Row& row, const Frames& frames) {
    const auto received = wire::parse(views(frames), sender_of(row));
    const std::string expected = row.at("type") + row.at("code");  // one of them is empty
    if (outcome(received) != expected) return complain(row, "expected " + expected + ", got " + outcome(received));
    if (!received && received.error().message.empty()) return complain(row, "refused without a message");
    if (row.at("canonical") != "yes") return true;
    const auto packed = wire::pack(received->message, payload_of(frames, 0));
    if (!packed || packed->header != frames[0]) return complain(row, "packed again, it has other bytes");
    return true;
}

bool check_sealed(const Row& row, const Frames& frames) {
    const auto key = array_of<wire::Key>(row.at("key"));
    const std::uint64_t next = std::stoull(row.at("sequence"));
    const wire::Sender sender = sender_of(row);
    wire::Channel channel(key, sender == wire::Sender::client ? wire::Sender::renderer : wire::Sender::client, 0, next);
    const auto received = channel.open(views(frames));
    const std::string expected = row.at("type") + row.at("code");
    if (outcome(received) != expected) return complain(row, "expected " + expected + ", got " + outcome(received));
    const bool seal_holds = received || row.at("name") == "sealed-bad-inside";
    if (channel.received() != next + seal_holds) return complain(row, "counted, or not, against the rule");
    if (!received) return true;
    wire::Channel again(key, sender, next);
    const auto resealed =
        std::visit([&](const auto& one) { return again.seal(one, payload_of(frames, 1)); }, received->message);
    if (!resealed || resealed->frames()[0].text() != frames[0])
        return complain(row, "sealed again, it has another seal");
    return true;
}

int check_vectors(const std::string& folder) {
    std::size_t wrong = 0, count = 0;
    for (const Row& row : read_rows(folder + "/listing.tsv")) {
        ++count;
        const Frames frames = read_frames(folder + "/" + row.at("name") + ".bin");
        wrong += !(row.at("key").empty() ? check_plain(row, frames) : check_sealed(row, frames));
    }
    const Row keys = read_rows(folder + "/keys.tsv").at(0);
    const auto secret = array_of<wire::Secret>(keys.at("secret"));
    const auto client = array_of<wire::Nonce>(keys.at("client_nonce"));
    const auto renderer = array_of<wire::Nonce>(keys.at("renderer_nonce"));
    wrong += wire::handshake_key(secret) != array_of<wire::Key>(keys.at("handshake_key"));
    wrong += wire::session_key(secret, client, renderer) != array_of<wire::Key>(keys.at("session_key"));
    std::cout << count << " vectors, " << wrong << " wrong\n";
    return wrong == 0 && count > 0 ? 0 : 1;
}

// The file: for each message its sender's byte, the number of its frames, then each frame behind its length.
int outcomes(const std::string& path) {
    const std::string raw = read_all(path);
    for (std::size_t at = 0; at < raw.size();) {
        const auto sender = static_cast<wire::Sender>(raw[at++]);
        Frames frames;
        for (std::size_t count = read_number(raw, at); count-- > 0;) frames.push_back(read_frame(raw, at));
        std::cout << outcome(wire::parse(views(frames), sender)) << "\n";
    }
    return 0;
}

int read_connection(const std::string& path) {
    const auto content = wire::read_connection_file(path);
    if (!content) {
        std::cout << wire::text_of(content.error().code).name << "\t" << content.error().message << "\n";
        return 1;
    }
    std::cout << content->endpoint << "\t" << content->host << "\t"
              << to_hex({content->secret.data(), content->secret.size()}) << "\n";
    return 0;
}

void print(const wire::Expected<wire::Sealed>& sealed) {
    if (!sealed) {
        std::cout << "refused " << wire::text_of(sealed.error().code).name << std::endl;
        return;
    }
    for (const wire::View frame : sealed->frames()) std::cout << to_hex(frame) << " ";
    std::cout << std::endl;
}

// Says HELLO; then, for each line of frames, what it was, and a PING and a CHUNK.
int client(const std::string& secret, const std::string& name) {
    wire::ClientSession session(array_of<wire::Secret>(secret), name);
    print(session.hello());
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        Frames frames;
        for (std::string word; words >> word;) frames.push_back(from_hex(word));
        std::cout << outcome(session.open(views(frames))) << std::endl;
        print(session.seal(wire::Ping{7}));
        const float samples[2] = {0.5F, -0.5F};
        wire::Chunk chunk;
        chunk.job = "job-1";
        chunk.samples = 1;
        chunk.channels = 2;
        print(session.seal(chunk, wire::View{reinterpret_cast<const std::uint8_t*>(samples), sizeof samples}));
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    const std::string what = words.empty() ? "" : words[0];
    if (what == "constants") {
        std::cout << wire::protocol_version << "\n";
        for (const wire::CodeText& text : wire::code_texts) std::cout << text.name << "\t" << text.remedy << "\n";
        return 0;
    }
    if (what == "vectors" && words.size() == 2) return check_vectors(words[1]);
    if (what == "outcomes" && words.size() == 2) return outcomes(words[1]);
    if (what == "connection" && words.size() == 2) return read_connection(words[1]);
    if (what == "client" && words.size() == 3) return client(words[1], words[2]);
    std::cerr << "usage: protocol_check constants | vectors FOLDER | outcomes FILE | connection FILE | "
                 "client SECRET NAME\n";
    return 2;
}
