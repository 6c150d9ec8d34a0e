// What all messages have in common. `fields` names every field once, for packing and for parsing: `must` fields have to
// be there, `may` fields keep their default, optional ones may be left out or nil.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "../errors.hpp"
#include "../rules.hpp"

namespace segue::protocol {

enum class Sender : std::uint8_t { client = 'C', renderer = 'R' };
enum class Senders { client, renderer, both };
enum class PayloadKind { none, audio, text };

inline bool may_send(Senders senders, Sender sender) noexcept {
    return senders == Senders::both || (senders == Senders::client) == (sender == Sender::client);
}

#define SEGUE_MESSAGE(NAME, SENDERS, PAYLOAD)                     \
    static constexpr std::string_view type = NAME;                \
    static constexpr Senders senders = Senders::SENDERS;          \
    static constexpr PayloadKind payload_kind = PayloadKind::PAYLOAD

// Most messages are about one job of the session: its id and generation, as the client chose them in SUBMIT.
#define SEGUE_JOB_MESSAGE(NAME, SENDERS, PAYLOAD) \
    SEGUE_MESSAGE(NAME, SENDERS, PAYLOAD);        \
    std::string job;                              \
    std::int64_t generation = 0

template <class Visitor, class Self>
void job_fields(Visitor& f, Self& m) {
    f.must("job", m.job, job_rule);
    f.must("generation", m.generation, count_rule);
}

}  // namespace segue::protocol
