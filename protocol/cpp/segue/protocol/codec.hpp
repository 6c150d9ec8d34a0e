// Packs, checks and parses messages: the twin of segue_protocol/codec.py.
#pragma once

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reader.hpp"
#include "scan.hpp"

namespace segue::protocol {

// A parsed message; `payload` looks into the frame that was parsed, and lives as long as that.
struct Received {
    Message message;
    View payload;
};

// A header ready to be sealed, with the payload that follows it, if one does; the payload stays the caller's.
struct Packed {
    std::string header;
    std::optional<View> payload;
};

namespace detail {

// Keys of every map once, strings in UTF-8: what scan() leaves to be seen. Nesting is at most 8 by then.
inline std::optional<std::string> check_strings(const msgpack::object& object) {
    if (object.type == msgpack::type::STR && !is_utf8({object.via.str.ptr, object.via.str.size}))
        return "expected strings in UTF-8";
    if (object.type == msgpack::type::ARRAY) {
        for (std::uint32_t i = 0; i < object.via.array.size; ++i)
            if (auto wrong = check_strings(object.via.array.ptr[i])) return wrong;
    }
    if (object.type != msgpack::type::MAP) return {};
    std::vector<std::string_view> keys;
    keys.reserve(object.via.map.size);
    for (std::uint32_t i = 0; i < object.via.map.size; ++i) {
        const msgpack::object_kv& entry = object.via.map.ptr[i];
        keys.emplace_back(entry.key.via.str.ptr, entry.key.via.str.size);
        if (!is_utf8(keys.back())) return "expected strings in UTF-8";
        if (auto wrong = check_strings(entry.val)) return wrong;
    }
    std::sort(keys.begin(), keys.end());
    if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) return "expected each key of a map once";
    return {};
}

inline std::optional<std::string_view> string_field(const msgpack::object_map& fields, std::string_view name) {
    const msgpack::object* found = find(fields, name);
    if (found == nullptr || found->type != msgpack::type::STR) return {};
    return std::string_view(found->via.str.ptr, found->via.str.size);
}

// Before the other fields, which another major version may have changed.
inline std::optional<Failure> check_version(const msgpack::object_map& fields) {
    const std::string_view given = string_field(fields, "protocol").value_or("");
    const std::string_view major = given.substr(0, given.find('.'));
    int number = 0;
    if (!MajorMinor::number(major)) return {};
    std::from_chars(major.data(), major.data() + major.size(), number);
    if (number == major_version) return {};
    Failure refused =
        failure(Code::version, "expected protocol 1.x (this side speaks " + std::string(protocol_version) +
                                   "), the other side speaks " + std::string(given.substr(0, 9)));
    const msgpack::object* nonce = find(fields, "nonce");
    if (nonce != nullptr && nonce->type == msgpack::type::BIN && nonce->via.bin.size == nonce_bytes)
        std::memcpy(refused.nonce.emplace().data(), nonce->via.bin.ptr, nonce_bytes);
    return refused;
}

// Shape times type must equal the bytes that came.
template <class Type>
std::optional<Failure> check_payload(const Type& message, const std::optional<View>& payload) {
    const std::string name(Type::type);
    if constexpr (Type::payload_kind == PayloadKind::none) {
        if (payload) return failure(Code::malformed, "expected " + name + " without a payload, got one");
    } else {
        const std::size_t expected = message.payload_bytes(), got = payload ? payload->size : 0;
        if (!payload || got != expected || got > max_payload_bytes) {
            return failure(Code::malformed, "expected " + name + " with a payload of " + std::to_string(expected) +
                                                " bytes and at most 1 MiB, got " + std::to_string(got));
        }
        if (Type::payload_kind == PayloadKind::text && !is_utf8(payload->text()))
            return failure(Code::malformed, "expected a payload in UTF-8");
    }
    return {};
}

template <class Type>
Expected<Received> read_message(const msgpack::object_map& fields, const std::optional<View>& payload) {
    Type message;
    Complaints complaints;
    Reader(fields, std::string(Type::type), complaints).part(message);
    if (complaints.malformed) return failure(Code::malformed, *complaints.malformed);
    if (complaints.invalid) return failure(Code::invalid, *complaints.invalid);
    if (auto refused = check_payload(message, payload)) return *refused;
    return Received{Message(std::move(message)), payload.value_or(View{})};
}

template <std::size_t I = 0>
Expected<Received> dispatch(std::string_view type, Sender sender, const msgpack::object_map& fields,
                            const std::optional<View>& payload) {
    if constexpr (I == std::variant_size_v<Message>) {
        return failure(Code::unsupported, "expected a message type of this version and from this side, got " +
                                              std::string(type.substr(0, 40)));
    } else {
        using Type = std::variant_alternative_t<I, Message>;
        if (type != Type::type || !may_send(Type::senders, sender))
            return dispatch<I + 1>(type, sender, fields, payload);
        if constexpr (std::is_same_v<Type, Hello> || std::is_same_v<Type, Welcome>) {
            if (auto refused = check_version(fields)) return *refused;
        }
        return read_message<Type>(fields, payload);
    }
}

inline Expected<Received> parse_frames(const View* frames, std::size_t count, Sender sender) {
    if (count < 1 || count > 2) return failure(Code::malformed, "expected a header and at most one payload");
    const View header = frames[0];
    if (header.size < 1 || header.size > max_header_bytes)
        return failure(Code::malformed, "expected a header of 1 to 65536 bytes, got " + std::to_string(header.size));
    if (auto wrong = scan(header)) return failure(Code::malformed, *wrong);
    const msgpack::object_handle unpacked = msgpack::unpack(reinterpret_cast<const char*>(header.data), header.size);
    const msgpack::object& object = unpacked.get();
    if (auto wrong = check_strings(object)) return failure(Code::malformed, *wrong);
    if (object.type != msgpack::type::MAP) return failure(Code::malformed, "expected a map as header");
    const auto type = string_field(object.via.map, "type");
    if (!type) return failure(Code::malformed, "expected a header with a string 'type'");
    const std::optional<View> payload = count > 1 ? std::optional<View>(frames[1]) : std::nullopt;
    Expected<Received> received = dispatch(*type, sender, object.via.map, payload);
    if (received) return received;
    Failure refused = received.error();
    const auto job = string_field(object.via.map, "job");
    if (job && !job_rule(*job)) refused.job = std::string(*job);
    return refused;
}

}  // namespace detail

// The message in a header frame and at most one payload frame (`count` of them); `sender`: whose messages are expected.
// Refuses with MALFORMED, INVALID, UNSUPPORTED, VERSION.
inline Expected<Received> parse(const View* frames, std::size_t count, Sender sender) noexcept {
    return guarded<Received>([&] { return detail::parse_frames(frames, count, sender); });
}

inline Expected<Received> parse(const std::vector<View>& frames, Sender sender) noexcept {
    return parse(frames.data(), frames.size(), sender);
}

// A message as frames; refuses what parse would refuse. A payload is needed exactly where the message declares one.
template <class Type>
Expected<Packed> pack(const Type& message, std::optional<View> payload = {}) noexcept {
    return guarded<Packed>([&]() -> Expected<Packed> {
        msgpack::sbuffer buffer;
        detail::Writer(buffer).map(message, Type::type);
        Packed packed{std::string(buffer.data(), buffer.size()), payload};
        if (packed.header.size() > max_header_bytes)
            return failure(Code::invalid, "expected a header of at most 64 KiB", "give fewer curve points or gaps");
        const View frames[2] = {view(packed.header), payload.value_or(View{})};
        const Sender sender = Type::senders == Senders::renderer ? Sender::renderer : Sender::client;
        const Expected<Received> back = parse(frames, payload ? 2 : 1, sender);
        if (!back) return back.error();
        return packed;
    });
}

inline Expected<Packed> pack(const Message& message, std::optional<View> payload = {}) noexcept {
    return std::visit([&](const auto& one) { return pack(one, payload); }, message);
}

}  // namespace segue::protocol
