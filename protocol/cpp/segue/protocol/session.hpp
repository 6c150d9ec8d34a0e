// Sealed sessions: a message that was altered, replayed, reordered, redirected or made up is refused.
// The twin of a client's side of segue_protocol/session.py.
#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec.hpp"

namespace segue::protocol {

using Key = std::array<std::uint8_t, key_bytes>;
using Secret = std::array<std::uint8_t, 32>;
using Seal = std::array<std::uint8_t, seal_bytes>;

// Frames ready to send, in this order: seal, header, and the payload if there is one (still the caller's).
struct Sealed {
    Seal seal{};
    std::string header;
    std::optional<View> payload;

    [[nodiscard]] std::vector<View> frames() const {
        std::vector<View> all{{seal.data(), seal.size()}, view(header)};
        if (payload) all.push_back(*payload);
        return all;
    }
};

namespace detail {

inline Key derive(const Secret& secret, std::string_view label, const Nonce* client, const Nonce* renderer) {
    crypto_generichash_state state;
    Key key{};
    crypto_generichash_init(&state, secret.data(), secret.size(), key.size());
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(label.data()), label.size());
    for (const Nonce* nonce : {client, renderer})
        if (nonce != nullptr) crypto_generichash_update(&state, nonce->data(), nonce->size());
    crypto_generichash_final(&state, key.data(), key.size());
    return key;
}

template <std::size_t Bytes>
std::array<std::uint8_t, Bytes> little_endian(std::uint64_t value) noexcept {
    std::array<std::uint8_t, Bytes> bytes{};
    for (std::size_t i = 0; i < Bytes; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i) & 0xFF);
    return bytes;
}

inline Seal seal_of(const Key& key, Sender sender, std::uint64_t sequence, const View* frames, std::size_t count) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, key.data(), key.size(), mac_bytes);
    const auto feed = [&](const auto& bytes) { crypto_generichash_update(&state, bytes.data(), bytes.size()); };
    const auto number = little_endian<8>(sequence);
    feed(std::array<std::uint8_t, 1>{static_cast<std::uint8_t>(sender)});
    feed(number);
    feed(little_endian<4>(count));
    for (std::size_t i = 0; i < count; ++i) feed(little_endian<8>(frames[i].size));
    for (std::size_t i = 0; i < count; ++i) crypto_generichash_update(&state, frames[i].data, frames[i].size);
    Seal seal{};
    std::copy(number.begin(), number.end(), seal.begin());
    crypto_generichash_final(&state, seal.data() + number.size(), mac_bytes);
    return seal;
}

// The sequence number of a message whose seal holds.
inline Expected<std::uint64_t> unseal(const Key& key, Sender sender, const std::vector<View>& frames) {
    if (frames.size() < 2 || frames.size() > 3)
        return failure(Code::malformed, "expected a seal, a header and at most one payload, got " +
                                            std::to_string(frames.size()) + " frames");
    if (frames[0].size != seal_bytes || frames[1].size > max_header_bytes ||
        (frames.size() == 3 && frames[2].size > max_payload_bytes))
        return failure(Code::malformed, "expected a seal of 40 bytes, a header up to 64 KiB, a payload up to 1 MiB");
    std::uint64_t sequence = 0;
    for (std::size_t i = 8; i-- > 0;) sequence = sequence << 8 | frames[0].data[i];
    const Seal expected = seal_of(key, sender, sequence, frames.data() + 1, frames.size() - 1);
    if (sodium_memcmp(expected.data(), frames[0].data, expected.size()) != 0)
        return failure(Code::unverified, "expected a message sealed with this session's key: dropped");
    return sequence;
}

inline Expected<Sealed> sealed(const Key& key, Sender sender, std::uint64_t sequence, const Expected<Packed>& packed) {
    if (!packed) return packed.error();
    Sealed result{{}, packed->header, packed->payload};
    const View frames[2] = {view(result.header), packed->payload.value_or(View{})};
    result.seal = seal_of(key, sender, sequence, frames, packed->payload ? 2 : 1);
    return result;
}

}  // namespace detail

// Keys of the handshake, and of one session.
inline Key handshake_key(const Secret& secret) noexcept {
    return detail::derive(secret, "segue handshake 1", nullptr, nullptr);
}
inline Key session_key(const Secret& secret, const Nonce& client, const Nonce& renderer) noexcept {
    return detail::derive(secret, "segue session 1", &client, &renderer);
}

// Both directions of one session, as one side sees it. Not for several threads at once.
class Channel {
public:
    Channel(const Key& key, Sender side, std::uint64_t sent = 0, std::uint64_t received = 0) noexcept
        : key_(key), side_(side), other_(side == Sender::client ? Sender::renderer : Sender::client), sent_(sent),
          received_(received) {}

    // Frames of a message; they must be sent, in this order.
    template <class Type>
    Expected<Sealed> seal(const Type& message, std::optional<View> payload = {}) noexcept {
        return guarded<Sealed>([&] {
            Expected<Sealed> made = detail::sealed(key_, side_, sent_, pack(message, payload));
            if (made) ++sent_;
            return made;
        });
    }

    // The message in `frames`. Only one whose seal holds and whose number is the next is counted, also where its
    // content is refused. OUT_OF_ORDER with a number ahead means that messages were lost: the session is over.
    Expected<Received> open(const std::vector<View>& frames) noexcept {
        return guarded<Received>([&]() -> Expected<Received> {
            const Expected<std::uint64_t> sequence = detail::unseal(key_, other_, frames);
            if (!sequence) return sequence.error();
            if (*sequence != received_)
                return failure(Code::out_of_order, "expected message " + std::to_string(received_) +
                                                       " of the session, got " + std::to_string(*sequence));
            ++received_;
            return parse(frames.data() + 1, frames.size() - 1, other_);
        });
    }

    [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }

private:
    Key key_;
    Sender side_, other_;
    std::uint64_t sent_, received_;
};

// A client's side: hello(), then open() what comes, then seal().
class ClientSession {
public:
    // `client`: name and version, for the renderer's log.
    ClientSession(const Secret& secret, std::string client) : secret_(secret), client_(std::move(client)) {}

    [[nodiscard]] bool established() const noexcept { return channel_.has_value(); }

    // Frames of a HELLO; a session there was ends here.
    Expected<Sealed> hello() noexcept {
        return guarded<Sealed>([&]() -> Expected<Sealed> {
            if (sodium_init() < 0) return failure(Code::internal, "libsodium cannot start");
            channel_.reset();
            randombytes_buf(nonce_.emplace().data(), nonce_bytes);
            Hello hello;
            hello.nonce = *nonce_;
            hello.client = client_;
            return detail::sealed(handshake_key(secret_), Sender::client, 0, pack(hello));
        });
    }

    // WELCOME, or ERROR where HELLO was refused; once established, a message of the session.
    Expected<Received> open(const std::vector<View>& frames) noexcept {
        if (channel_) return channel_->open(frames);
        return guarded<Received>([&]() -> Expected<Received> {
            const auto sequence = detail::unseal(handshake_key(secret_), Sender::renderer, frames);
            if (!sequence) return sequence.error();
            Expected<Received> received = parse(frames.data() + 1, frames.size() - 1, Sender::renderer);
            if (!received) return received;
            const auto* error = std::get_if<Error>(&received->message);
            if (error != nullptr && nonce_ && error->nonce == nonce_) return received;
            const auto* welcome = std::get_if<Welcome>(&received->message);
            if (welcome == nullptr || !nonce_ || welcome->client_nonce != *nonce_)
                return failure(Code::unverified, "expected WELCOME for the last HELLO, got another message");
            channel_.emplace(session_key(secret_, *nonce_, welcome->nonce), Sender::client);
            return received;
        });
    }

    // Frames of a message of the session; LOST before WELCOME came.
    template <class Type>
    Expected<Sealed> seal(const Type& message, std::optional<View> payload = {}) noexcept {
        if (!channel_) {
            return guarded<Sealed>([] { return failure(Code::lost, "expected a session, got a message before it"); });
        }
        return channel_->seal(message, payload);
    }

private:
    Secret secret_;
    std::string client_;
    std::optional<Nonce> nonce_;
    std::optional<Channel> channel_;
};

}  // namespace segue::protocol
