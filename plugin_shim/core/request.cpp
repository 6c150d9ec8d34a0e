#include "core/request.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/automation.hpp"
#include "core/clock.hpp"
#include "core/gap.hpp"
#include "core/laid_in.hpp"
#include "core/request_streams.hpp"
#include "segue/protocol/codec.hpp"

namespace segue::plugin {
namespace {

using Problem = std::optional<Refusal>;

constexpr double least_context = 1.0;          // seconds beside a gap that must fit into the renderer's limit
constexpr std::size_t worth_a_digest = 1 << 20;  // bytes

// A request in the making: `track` in the song, and where its audio sounds.
struct Draft {
    const Song& song;
    const Wish& wish;
    const Offer& offer;
    Task task;
    Span gap;
    Span track;
    Span right;  // of the side-chain; empty: none
    Audio audio;
    Budget budget;
    Request request;

    [[nodiscard]] bool sounds(const Span& span) const;
};

float level_of(const std::vector<float>& samples, std::int64_t from, std::int64_t to) noexcept {
    float level = 0.0F;
    for (std::int64_t i = from; i < to; ++i) level = std::max(level, std::abs(samples[static_cast<std::size_t>(i)]));
    return level;
}

// Whether the track, with its regions, is louder than silence somewhere in a part of it.
bool Draft::sounds(const Span& span) const {
    const std::int64_t from = std::max(span.start, track.start) - track.start;
    const std::int64_t to = std::min(span.stop, track.stop) - track.start;
    return level_of(audio.left, from, to) > silence_level || level_of(audio.right, from, to) > silence_level;
}

std::string gap_text(const Draft& draft) { return "the gap from " + clock_text(draft.gap, draft.song.rate()); }

const std::vector<std::string>& presets_of(const Draft& draft) noexcept {
    return draft.wish.presets.empty() ? draft.offer.presets : draft.wish.presets;
}

Problem check_preset(const Draft& draft) {
    const auto preset = std::lround(draft.wish.values[index(Parameter::preset)]);
    const std::vector<std::string>& names = presets_of(draft);
    if (preset > static_cast<long>(names.size())) {
        return refuse("Preset " + std::to_string(preset) + " is set, the renderer has " + std::to_string(names.size()),
                      "choose another preset, or 0 for none");
    }
    if (preset == 0) return {};
    const std::string& name = names[static_cast<std::size_t>(preset - 1)];
    const std::vector<std::string>& offered = draft.offer.presets;
    if (std::find(offered.begin(), offered.end(), name) != offered.end()) return {};
    return refuse("this session's preset " + name + " is none of the renderer's",
                  "put it into the presets folder of the renderer, or choose another preset");
}

Problem check_wish(const Draft& draft) {
    if (draft.wish.gap.source == GapSource::none || draft.gap.empty()) {
        const std::string& reason = draft.wish.gap.reason;
        return refuse("there is no gap to render",
                      reason.empty() ? "draw the Gap lane, or mark the gap in the waveform" : reason);
    }
    if (const Problem problem = check_preset(draft)) return problem;
    if (draft.task == Task::restyle && std::lround(draft.wish.values[index(Parameter::preset)]) == 0)
        return refuse("Restyle needs a preset, and none is chosen", "choose a preset");
    return {};
}

// The heard stretch that the track is cut from.
Expected<Span> stretch_of(const Draft& draft) {
    const SpanSet& heard = draft.song.coverage();
    if (draft.task == Task::continuation) {
        const auto before = heard.around(draft.gap.start - 1);
        if (before) return Span{before->start, draft.gap.start};
        return refuse("nothing was heard just before " + clock_text(draft.gap.start, draft.song.rate()) +
                          ", where the continuation starts",
                      "play the song up to there");
    }
    if (heard.contains(draft.gap)) return *heard.around(draft.gap.start);
    const bool in_part = !heard.within(draft.gap).empty();
    return refuse(gap_text(draft) + (in_part ? " was heard only in part" : " was not heard"),
                  "play the song across it, with some seconds before and behind");
}

// The side-chain from the gap's start on, if it sounds in the gap.
Expected<Span> right_of(const Draft& draft) {
    const auto connected = draft.song.side_coverage().around(draft.gap.start);
    if (!draft.song.side_louder(draft.gap, silence_level)) return Span{};
    if (!connected || connected->stop < draft.gap.stop) {
        return refuse("the side-chain was heard in a part of " + gap_text(draft) + " only",
                      "play the song across the gap with the side-chain connected");
    }
    if (!draft.song.side_louder({draft.gap.stop, connected->stop}, silence_level)) {
        return refuse("no music was heard on the side-chain after " + gap_text(draft),
                      "play on for some seconds behind the gap, or shorten it: a transition ends in the other track");
    }
    return Span{draft.gap.start, connected->stop};
}

// What the task keeps of the track whatever the limits are.
Span core_of(const Draft& draft) noexcept {
    return draft.task == Task::continuation ? Span{draft.gap.start, draft.gap.start} : draft.gap;
}

Refusal too_long(const Draft& draft, std::int64_t most) {
    const double rate = draft.song.rate();
    return refuse(gap_text(draft) + " lasts " + seconds_text(draft.gap.size(), rate) + "; the renderer takes " +
                      seconds_text(most, rate) + " with what stands around it",
                  "choose a shorter gap, or raise the limits of the renderer", protocol::Code::resource);
}

// Cuts track and right track to what the renderer takes; of a transition each may have half of it.
Problem cut(Draft& draft, const Span& whole) {
    const double rate = draft.song.rate();
    const bool two = !draft.right.empty();
    const std::int64_t most = std::min(draft.budget.longest(rate), draft.budget.next(rate) / (two ? 2 : 1));
    const Span core = core_of(draft);
    const std::int64_t context = std::llround(least_context * rate);
    if (std::max(core.size() + std::min(context, whole.size() - core.size()), draft.gap.size()) > most)
        return too_long(draft, most);
    draft.track = cropped(whole, core, most);
    if (two) {
        if (draft.gap.size() + std::min(context, draft.right.size() - draft.gap.size()) > most)
            return too_long(draft, most);
        draft.right.stop = std::min(draft.right.stop, draft.right.start + most);
    }
    draft.budget.spend(draft.track.size() + draft.right.size());
    return {};
}

Problem choose_track(Draft& draft) {
    const Expected<Span> stretch = stretch_of(draft);
    if (!stretch) return stretch.error();
    Span whole = *stretch;
    if (draft.task == Task::transition) {
        const Expected<Span> right = right_of(draft);
        if (!right) return right.error();
        draft.right = *right;
        if (!right->empty()) whole.stop = draft.gap.stop;
    }
    if (const Problem problem = cut(draft, whole)) return problem;
    const std::int64_t left_out = whole.size() - draft.track.size();
    if (left_out > 0) {
        draft.request.notes.push_back("the track is sent as " + seconds_text(draft.track.size(), draft.song.rate()) +
                                      " around the gap, as much as the renderer takes at a time");
    }
    return {};
}

Problem check_contexts(const Draft& draft) {
    const Span before{draft.track.start, draft.gap.start}, behind{draft.gap.stop, draft.track.stop};
    const bool left = draft.sounds(before);
    if (draft.task == Task::continuation) {
        if (left) return {};
        return refuse("only silence was heard before " + clock_text(draft.gap.start, draft.song.rate()),
                      "start the gap where the music ends");
    }
    if (before.empty() && behind.empty()) {
        return refuse("nothing was heard on either side of " + gap_text(draft),
                      "play some seconds before and behind it too");
    }
    const bool right = !draft.right.empty() || draft.sounds(behind);
    if (draft.task == Task::transition && !(left && right)) {
        return refuse(std::string("a transition needs music on both sides, and none was heard ") +
                          (left ? "behind " : "before ") + gap_text(draft),
                      "play the song from some seconds before the gap to some behind it, or use Continue");
    }
    if (!left && !right) {
        return refuse("only silence was heard around " + gap_text(draft),
                      "play the song where there is music beside it");
    }
    const bool varies = draft.task == Task::regenerate || draft.task == Task::restyle;
    if (varies && !draft.sounds(draft.gap)) {
        return refuse(std::string(info(Parameter::task).choices[static_cast<std::size_t>(draft.task)]) +
                          " works on what stands in the gap, and that is silent",
                      "use Fill Gap");
    }
    return {};
}

// The protocol's word for what is asked.
std::string task_word(const Draft& draft) {
    if (draft.task != Task::transition || !draft.right.empty()) return protocol_name(draft.task);
    return protocol_name(draft.sounds(draft.gap) ? Task::regenerate : Task::fill_gap);
}

Problem check_offered(const Draft& draft, const std::string& word) {
    const std::vector<std::string>& tasks = draft.offer.tasks;
    if (std::find(tasks.begin(), tasks.end(), word) != tasks.end()) return {};
    std::string offered;
    for (const std::string& task : tasks) offered += (offered.empty() ? "" : ", ") + task;
    return refuse("the renderer does not offer " + word + "; it offers " + (offered.empty() ? "nothing" : offered),
                  "choose another task, or update the renderer", protocol::Code::unsupported);
}

void set_settings(Draft& draft) {
    protocol::Settings& settings = draft.request.submit.settings;
    settings.seed = draft.wish.seed;
    settings.candidates = std::min<std::int64_t>(max_takes, draft.offer.limits.max_candidates);
    const auto preset = std::lround(draft.wish.values[index(Parameter::preset)]);
    if (preset > 0) settings.preset = presets_of(draft)[static_cast<std::size_t>(preset - 1)];
}

void set_place(Draft& draft, const std::string& word) {
    protocol::Submit& submit = draft.request.submit;
    submit.task = word;
    if (draft.task == Task::continuation) {
        submit.added = draft.gap.size();
    } else if (!draft.right.empty()) {
        submit.overlap = draft.gap.size();
    } else {
        submit.gaps = {{draft.gap.start - draft.track.start, draft.gap.stop - draft.track.start}};
    }
}

bool moves(const std::vector<LaneRun>& runs) noexcept {
    return std::any_of(runs.begin(), runs.end(), [&](const LaneRun& run) { return run.value != runs[0].value; });
}

void set_curves(Draft& draft) {
    protocol::Submit& submit = draft.request.submit;
    const bool varies = submit.task != protocol_name(Task::fill_gap) && draft.task != Task::continuation;
    const bool styled = submit.settings.preset.has_value();
    struct Choice {
        const char* name;
        Lane lane;
        Parameter knob;
        bool used;
    };
    const Choice choices[] = {{"freedom", Lane::freedom, Parameter::freedom, varies},
                              {"guidance", Lane::guidance, Parameter::guidance, styled},
                              {"style", Lane::style, Parameter::style, styled}};
    const Span span{draft.track.start, std::max(draft.gap.stop, draft.track.stop)};
    for (const Choice& choice : choices) {
        if (!choice.used) continue;
        const std::vector<LaneRun> runs = draft.song.lane(choice.lane, span);
        const double knob = draft.wish.values[index(choice.knob)];
        submit.curves.push_back(moves(runs) ? curve_of(choice.name, runs, draft.track.start, draft.song.rate())
                                            : protocol::Curve{choice.name, {{0.0, knob}}});
    }
    const double tolerance = simplify(submit.curves, protocol::max_curve_points);
    if (tolerance > curve_tolerance)
        draft.request.notes.push_back("automation was simplified to within " + std::to_string(tolerance));
}

void set_streams(Draft& draft) {
    Request& request = draft.request;
    const double rate = draft.song.rate();
    SpanSet used;
    used.add(draft.track);
    used.add(draft.gap);
    add_stream(request, "track", "track " + clock_text(draft.track, rate), std::move(draft.audio), draft.song,
               draft.track);
    if (!draft.right.empty()) {
        add_stream(request, "right", "side-chain " + clock_text(draft.right, rate), draft.song.copy_side(draft.right),
                   draft.song, draft.right);
    }
    add_songs(request, draft.song, draft.wish, used, draft.budget);
}

}  // namespace

std::string Request::message() const {
    std::string all;
    for (const std::string& note : notes) all += (all.empty() ? "" : "; ") + note;
    return all;
}

Expected<Request> make_request(const Song& song, const Wish& wish, const Offer& offer) {
    const auto task = static_cast<Task>(std::lround(wish.values[index(Parameter::task)]));
    Draft draft{song, wish, offer, task, wish.gap.span, {}, {}, {}, Budget(offer.limits), {}};
    Request& request = draft.request;
    request.submit.job = wish.job;
    request.submit.generation = static_cast<std::int64_t>(wish.generation);
    request.submit.credits = wish.credits;
    request.region = draft.gap;
    request.rate = song.rate();
    if (const Problem problem = check_wish(draft)) return *problem;
    if (const Problem problem = choose_track(draft)) return *problem;
    request.start = draft.track.start;
    draft.audio = song.copy(draft.track);
    lay_in(draft.audio, draft.track.start, wish.regions.segments, chosen_take(wish.values));
    if (const Problem problem = check_contexts(draft)) return *problem;
    const std::string word = task_word(draft);
    if (const Problem problem = check_offered(draft, word)) return *problem;
    set_settings(draft);
    set_place(draft, word);
    set_curves(draft);
    set_streams(draft);
    if (const auto packed = protocol::pack(request.submit); !packed) return packed.error();
    return std::move(request);
}

void add_digests(Request& request, const std::function<bool()>& goes_on) {
    constexpr std::size_t slice = std::size_t{1} << 20;  // bytes
    for (std::size_t i = 0; i < request.streams.size(); ++i) {
        const Audio& audio = *request.streams[i];
        const std::size_t bytes = audio.left.size() * sizeof(float);
        if (2 * bytes < worth_a_digest) continue;
        const protocol::Stream& stream = request.submit.streams[i];
        const std::string head = std::to_string(stream.rate) + " (" + std::to_string(stream.channels) + ", " +
                                 std::to_string(stream.samples) + ") <f4";
        crypto_hash_sha256_state hash;
        std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
        crypto_hash_sha256_init(&hash);
        crypto_hash_sha256_update(&hash, reinterpret_cast<const unsigned char*>(head.data()), head.size());
        for (const std::vector<float>* channel : {&audio.left, &audio.right}) {
            const auto* samples = reinterpret_cast<const unsigned char*>(channel->data());
            for (std::size_t at = 0; at < bytes; at += slice) {
                if (!goes_on()) return;
                crypto_hash_sha256_update(&hash, samples + at, std::min(slice, bytes - at));
            }
        }
        crypto_hash_sha256_final(&hash, digest.data());
        std::string text(2 * digest.size() + 1, '\0');
        sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
        text.pop_back();
        request.submit.streams[i].digest = std::move(text);
    }
}

std::vector<float> chunk_payload(const Audio& stream, std::int64_t offset, std::int64_t samples) {
    std::vector<float> payload;
    payload.reserve(static_cast<std::size_t>(2 * samples));
    for (const std::vector<float>* channel : {&stream.left, &stream.right}) {
        payload.insert(payload.end(), channel->begin() + offset, channel->begin() + offset + samples);
    }
    return payload;
}

}  // namespace segue::plugin
