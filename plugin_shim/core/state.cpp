#include "core/state.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <utility>

#include "core/base64.hpp"
#include "core/crc32.hpp"
#include "core/lossless.hpp"
#include "core/state_parts.hpp"
#include "segue/protocol/scan.hpp"

namespace segue::plugin {
namespace {

// magic, version (4 bytes), CRC-32 of all else (4), bytes of the index (8), bytes in all (8), each least first; then
// the index, then the FLAC of each take. Magic, version, CRC-32 and their places stay the same in every version.
constexpr std::string_view magic = "SegueSta";
constexpr std::size_t version_at = 8, crc_at = 12, index_at = 16, total_at = 24, head_bytes = 32;
constexpr double longest_region = 3600.0;  // seconds

Refusal damaged(const std::string& what) {
    return refuse("the saved state is damaged: " + what,
                  "open an earlier copy of the session; until then the plug-in keeps what it has",
                  protocol::Code::malformed);
}

Refusal too_large() {
    return refuse("the session's renders are more than a state may hold",
                  "remove renders that are no longer needed, then save again", protocol::Code::resource);
}

void put(std::string& bytes, std::size_t at, std::uint64_t number, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(number >> (8 * i) & 0xFF);
}

std::uint64_t get(std::string_view bytes, std::size_t at, std::size_t size) noexcept {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < size; ++i) {
        number |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[at + i])) << (8 * i);
    }
    return number;
}

std::uint32_t crc_of(std::string_view bytes) noexcept {
    return crc32(bytes.substr(crc_at + 4), crc32(bytes.substr(0, crc_at)));
}

// ---- saving ---------------------------------------------------------------------------------------------------------

using Bundles = std::vector<std::shared_ptr<const Packed>>;

Expected<state_parts::Take> saved(const Take& take, const Region& region, Bundles& packed) {
    std::shared_ptr<const Packed> audio = take.packed;
    if (audio == nullptr) {
        Expected<Packed> made = pack(*take.audio);
        if (!made) return made.error();
        audio = std::make_shared<const Packed>(std::move(*made));
    }
    if (audio->frames != region.span.size() || audio->rate != region.rate) {
        return refuse("a take is not as long as its region, or of another rate",
                      "undo that render, and render it again", protocol::Code::internal);
    }
    packed.push_back(audio);
    return state_parts::Take{take.candidate, take.method, take.how, take.score, take.seed, take.recipe,
                             audio->exponent, static_cast<std::int64_t>(audio->flac.size())};
}

Expected<state_parts::Region> saved(const Region& region, Bundles& packed) {
    state_parts::Region part{static_cast<std::int64_t>(region.id), region.span.start, region.span.stop, region.rate,
                             region.task, region.report, region.undone, region.complete, {}};
    for (const Take& take : region.takes) {
        if (take.audio == nullptr && take.packed == nullptr) continue;  // still on its way
        Expected<state_parts::Take> one = saved(take, region, packed);
        if (!one) return one.error();
        part.takes.push_back(std::move(*one));
    }
    return part;
}

Expected<state_parts::Index> index_of(const State& state, Bundles& packed) {
    state_parts::Index index;
    for (std::size_t i = 0; i < parameter_count; ++i) {
        index.values.push_back({info(static_cast<Parameter>(i)).symbol, state.values[i]});
    }
    for (const Region& region : state.regions) {
        Expected<state_parts::Region> part = saved(region, packed);
        if (!part) return part.error();
        if (!part->takes.empty()) index.regions.push_back(std::move(*part));
    }
    if (state.marks && !state_parts::rate_rule(state.marks_rate)) {
        index.marks = {state.marks->start, state.marks->stop, state.marks_rate};
    }
    for (const auto& [name, text] : state.extra) index.extra.push_back({name, text});
    return index;
}

// ---- loading --------------------------------------------------------------------------------------------------------

// The checked bytes of a blob.
Expected<std::string> opened(std::string_view blob) {
    if (blob.empty()) return damaged("it is empty");
    std::optional<std::string> bytes = from_base64(blob);
    if (!bytes) return damaged("it is not text as Segue saves it, or was cut");
    if (bytes->size() < head_bytes || bytes->compare(0, magic.size(), magic) != 0)
        return damaged("it is not a state of Segue, or was cut");
    if (get(*bytes, crc_at, 4) != crc_of(*bytes)) return damaged("its check sum does not hold");
    const std::uint64_t version = get(*bytes, version_at, 4);
    if (version > state_version) {
        return refuse("this session was saved by a newer Segue (state version " + std::to_string(version) +
                          ", this one reads " + std::to_string(state_version) + ")",
                      "update the plug-in; until then the state is kept as it is, and saved again untouched",
                      protocol::Code::version);
    }
    if (version != state_version || get(*bytes, total_at, 8) != bytes->size() ||
        get(*bytes, index_at, 8) > bytes->size() - head_bytes) {
        return damaged("its lengths contradict one another");
    }
    return std::move(*bytes);
}

Expected<state_parts::Index> read_index(std::string_view bytes) {
    const protocol::View view = protocol::view(bytes);
    if (const auto wrong = protocol::scan(view)) return damaged(*wrong);
    const msgpack::object_handle unpacked = msgpack::unpack(bytes.data(), bytes.size());
    if (unpacked.get().type != msgpack::type::MAP) return damaged("expected a map as index");
    state_parts::Index index;
    protocol::detail::Complaints complaints;
    protocol::detail::Reader(unpacked.get().via.map, "state", complaints).part(index);
    if (complaints.malformed) return damaged(*complaints.malformed);
    if (complaints.invalid) return damaged(*complaints.invalid);
    return index;
}

void restore_values(const std::vector<state_parts::Value>& values, LoadedState& loaded) {
    for (std::size_t i = 0; i < parameter_count; ++i) {
        const auto parameter = static_cast<Parameter>(i);
        const auto found = std::find_if(values.begin(), values.end(), [&](const state_parts::Value& value) {
            return value.symbol == info(parameter).symbol;
        });
        if (found != values.end() && is_valid(parameter, static_cast<float>(found->value))) {
            loaded.state.values[i] = static_cast<float>(found->value);
        } else {
            loaded.notes.push_back(std::string(info(parameter).name) + " was saved " +
                                   (found == values.end() ? "not at all" : "with a value that is not valid") +
                                   ", and is at its default now");
        }
    }
}

Expected<Take> restored(const state_parts::Take& part, const Region& region, std::string flac) {
    auto packed = std::make_shared<Packed>(Packed{region.rate, region.span.size(), part.exponent, std::move(flac)});
    Expected<Audio> audio = unpack(*packed);
    if (!audio) return audio.error();
    return Take{part.candidate, part.method, part.how, part.score, part.seed, part.recipe,
                std::make_shared<const Audio>(std::move(*audio)), std::move(packed)};
}

std::optional<Refusal> check_regions(const std::vector<state_parts::Region>& parts, const StateLimits& limits) {
    std::set<std::int64_t> ids;
    double frames = 0.0;
    for (const state_parts::Region& part : parts) {
        const double length = static_cast<double>(part.stop) - static_cast<double>(part.start);
        if (length < 1.0 || length > longest_region * part.rate || !ids.insert(part.id).second)
            return damaged("a region is empty, too long or there twice");
        frames += length * static_cast<double>(part.takes.size());
    }
    if (parts.size() > limits.regions || frames > static_cast<double>(limits.frames))
        return damaged("it holds more audio than a session may");
    return {};
}

std::optional<Refusal> restore_regions(const std::vector<state_parts::Region>& parts, std::string_view flacs,
                                       State& state) {
    for (const state_parts::Region& part : parts) {
        Region region{static_cast<std::uint64_t>(part.id), {part.start, part.stop}, part.rate, part.task, part.report,
                      {}, part.undone, part.complete};
        for (const state_parts::Take& take : part.takes) {
            const auto bytes = static_cast<std::uint64_t>(take.bytes);
            if (bytes > flacs.size()) return damaged("its audio is cut");
            Expected<Take> one = restored(take, region, std::string(flacs.substr(0, bytes)));
            if (!one) return one.error();
            region.takes.push_back(std::move(*one));
            flacs.remove_prefix(bytes);
        }
        state.regions.push_back(std::move(region));
    }
    if (!flacs.empty()) return damaged("it holds audio that belongs to nothing");
    return {};
}

}  // namespace

Expected<std::string> save_state(const State& state, const StateLimits& limits) {
    return protocol::guarded<std::string>([&]() -> Expected<std::string> {
        Bundles packed;
        const Expected<state_parts::Index> index = index_of(state, packed);
        if (!index) return index.error();
        if (check_regions(index->regions, limits)) return too_large();
        msgpack::sbuffer buffer;
        protocol::detail::Writer(buffer).map(*index);
        std::string bytes(head_bytes, '\0');
        bytes.append(buffer.data(), buffer.size());
        for (const auto& audio : packed) bytes += audio->flac;
        if (bytes.size() > limits.bytes / 4 * 3) return too_large();
        bytes.replace(0, magic.size(), magic);
        put(bytes, version_at, state_version, 4);
        put(bytes, index_at, buffer.size(), 8);
        put(bytes, total_at, bytes.size(), 8);
        put(bytes, crc_at, crc_of(bytes), 4);
        return to_base64(bytes);
    });
}

Expected<LoadedState> load_state(std::string_view blob, const StateLimits& limits) {
    return protocol::guarded<LoadedState>([&]() -> Expected<LoadedState> {
        if (blob.size() > limits.bytes) return damaged("it is larger than a session may be");
        const Expected<std::string> bytes = opened(blob);
        if (!bytes) return bytes.error();
        const auto index_bytes = static_cast<std::size_t>(get(*bytes, index_at, 8));
        const std::string_view body = std::string_view(*bytes).substr(head_bytes);
        const Expected<state_parts::Index> index = read_index(body.substr(0, index_bytes));
        if (!index) return index.error();
        LoadedState loaded;
        restore_values(index->values, loaded);
        if (auto refused = check_regions(index->regions, limits)) return *refused;
        if (auto refused = restore_regions(index->regions, body.substr(index_bytes), loaded.state)) return *refused;
        if (index->marks) {
            loaded.state.marks = Span{index->marks->start, index->marks->stop};
            loaded.state.marks_rate = index->marks->rate;
        }
        for (const state_parts::Text& text : index->extra) loaded.state.extra[text.name] = text.text;
        return loaded;
    });
}

}  // namespace segue::plugin
