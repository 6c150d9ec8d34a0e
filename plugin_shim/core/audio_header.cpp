#include "core/audio_header.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace segue::plugin {
namespace {

constexpr std::int64_t ogg_page = 27 + 255 + 255 * 255;  // the longest there is
constexpr int most_chunks = 10'000;
constexpr std::uint64_t streamed = 0xFFFFFFFF;  // a size that was never filled in

// How a container of chunks is laid out: each an id, a size and the data, padded to a multiple of `align`.
struct Layout {
    std::string_view name;
    std::string_view form;  // at `form_at`
    std::size_t form_at;
    std::size_t first;  // chunk
    std::size_t id_bytes;
    std::size_t size_bytes;
    bool big_endian;
    bool size_holds_head;
    std::uint64_t align;
    std::string_view data;  // id of the audio's chunk
};

constexpr Layout layouts[] = {
    {"WAV", "RIFF", 0, 12, 4, 4, false, false, 2, "data"},
    {"RF64", "RF64", 0, 12, 4, 4, false, false, 2, "data"},
    {"RF64", "BW64", 0, 12, 4, 4, false, false, 2, "data"},
    {"AIFF", "FORM", 0, 12, 4, 4, true, false, 2, "SSND"},
    {"W64", "riff", 0, 40, 16, 8, false, true, 8, "data"},
    {"CAF", "caff", 0, 8, 4, 8, true, false, 1, "data"},
};

std::uint64_t number(std::string_view bytes, bool big_endian) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = static_cast<std::uint8_t>(bytes[big_endian ? i : bytes.size() - 1 - i]);
        value = value << 8 | byte;
    }
    return value;
}

class File {
public:
    explicit File(const std::filesystem::path& path) : stream_(path, std::ios::binary), path_(path) {
        stream_.seekg(0, std::ios::end);
        size_ = static_cast<std::uint64_t>(std::max<std::streamoff>(0, stream_.tellg()));
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    // As many as there are.
    [[nodiscard]] std::string read(std::uint64_t at, std::size_t count) {
        std::string bytes(at < size_ ? static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - at)) : 0, '\0');
        stream_.clear();
        stream_.seekg(static_cast<std::streamoff>(at));
        stream_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        bytes.resize(static_cast<std::size_t>(stream_.gcount()));
        return bytes;
    }
    [[nodiscard]] Refusal refused(const std::string& what) const {
        return refuse(path_.filename().string() + " " + what, "copy or export it again");
    }

private:
    std::ifstream stream_;
    const std::filesystem::path& path_;
    std::uint64_t size_ = 0;
};

Refusal beyond(const File& file, std::uint64_t declared, std::uint64_t there) {
    if (declared == streamed)
        return file.refused("was streamed and never given its length: write it again with another program");
    return file.refused("declares " + std::to_string(declared) + " bytes of audio, " + std::to_string(there) +
                        " are there: it is cut off, or its header lies");
}

// The size of an RF64 file's data, from its first chunk.
std::optional<std::uint64_t> ds64_size(File& file) {
    const std::string chunk = file.read(12, 24);
    if (chunk.size() < 24 || chunk.compare(0, 4, "ds64") != 0) return {};
    return number(std::string_view(chunk).substr(16, 8), false);
}

Expected<bool> check_chunks(File& file, const Layout& layout) {
    const std::size_t head_bytes = layout.id_bytes + layout.size_bytes;
    std::uint64_t at = layout.first;
    for (int count = 0; count < most_chunks; ++count) {
        const std::string head = file.read(at, head_bytes);
        if (head.size() < head_bytes) break;
        std::uint64_t size = number(std::string_view(head).substr(layout.id_bytes), layout.big_endian);
        if (layout.size_holds_head) size -= std::min<std::uint64_t>(size, head_bytes);
        const std::uint64_t start = at + head_bytes, there = file.size() - start;
        if (std::string_view(head).substr(0, 4) == layout.data) {
            if (layout.name == "RF64" && size == streamed) size = ds64_size(file).value_or(size);
            if (layout.name == "CAF" && size == UINT64_MAX) size = there;  // "to the end of the file"
            if (size > there) return beyond(file, size, there);
            return true;
        }
        if (size > there) return file.refused("is cut off before its audio: a chunk reaches past its end");
        at = start + (size + layout.align - 1) / layout.align * layout.align;
    }
    return file.refused("holds no audio: it is cut off or damaged before its " + std::string(layout.name) + " data");
}

// The last page must be whole and marked as the end of its stream.
Expected<bool> check_ogg(File& file) {
    const std::uint64_t first = file.size() - std::min<std::uint64_t>(file.size(), ogg_page);
    const std::string tail = file.read(first, ogg_page);
    const std::size_t at = tail.rfind("OggS");
    const std::string_view page = at == std::string::npos ? std::string_view() : std::string_view(tail).substr(at);
    const std::size_t segments = page.size() < 27 ? 0 : static_cast<std::uint8_t>(page[26]);
    const std::string_view sizes = page.size() < 27 + segments ? std::string_view() : page.substr(27, segments);
    std::size_t bytes = 27 + segments;
    for (const char size : sizes) bytes += static_cast<std::uint8_t>(size);
    if (page.size() < bytes) return file.refused("is cut off within a page of its Ogg stream");
    if ((static_cast<std::uint8_t>(page[5]) & 4U) == 0)
        return file.refused("is cut off: its Ogg stream has no last page");
    return true;
}

}  // namespace

Expected<bool> check_header(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error))
        return refuse(path.string() + " is not there, or not a file", "choose an audio file");
    File file(path);
    const std::string head = file.read(0, 16);
    if (head.empty()) return file.refused("is empty, or cannot be read");
    for (const Layout& layout : layouts) {
        if (head.compare(0, layout.form.size(), layout.form) == 0) return check_chunks(file, layout);
    }
    if (head.compare(0, 4, "OggS") == 0) return check_ogg(file);
    return head.compare(0, 4, "fLaC") == 0;
}

}  // namespace segue::plugin
