#include "json.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

namespace segue::plugin::driver {
namespace {

constexpr const char* link_states[] = {"idle", "offline", "starting", "connecting", "online"};
constexpr const char* job_states[] = {"none",    "armed",     "waiting", "sending", "queued",
                                      "running", "receiving", "done",    "failed",  "cancelled"};
constexpr const char* gap_sources[] = {"none", "lane", "marks", "loop", "silence"};

std::string text(bool value) { return value ? "true" : "false"; }
std::string text(const std::string& value) { return quoted(value); }
std::string text(const char* value) { return quoted(value); }
std::string text(double value) { return number(value); }
std::string text(std::int64_t value) { return std::to_string(value); }
std::string text(std::uint64_t value) { return std::to_string(value); }
std::string text(const Span& span) { return "[" + text(span.start) + ", " + text(span.stop) + "]"; }

std::string text(const TakeView& take);
std::string text(const RegionView& region);
std::string text(const LinkView& link);
std::string text(const JobView& job);
std::string text(const GapView& gap);
std::string text(const CaptureView& capture);

template <class T>
std::string text(const std::optional<T>& value) {
    return value ? text(*value) : "null";
}

template <class T>
std::string text(const std::vector<T>& values) {
    std::string all;
    for (const T& value : values) all += (all.empty() ? "" : ", ") + text(value);
    return "[" + all + "]";
}

class Map {
public:
    template <class T>
    Map& add(const char* name, const T& value) {
        return raw(name, text(value));
    }
    Map& raw(const char* name, const std::string& value) {
        all_ += (all_.empty() ? "" : ", ") + quoted(name) + ": " + value;
        return *this;
    }
    [[nodiscard]] std::string end() const { return "{" + all_ + "}"; }

private:
    std::string all_;
};

std::string text(const TakeView& take) { return Map().add("method", take.method).add("score", take.score).end(); }

std::string text(const RegionView& region) {
    return Map()
        .add("id", region.id)
        .add("span", region.span)
        .add("task", region.task)
        .add("takes", region.takes)
        .add("undone", region.undone)
        .add("complete", region.complete)
        .end();
}

std::string text(const LinkView& link) {
    return Map()
        .add("state", name_of(link.state))
        .add("text", link.text)
        .add("remedy", link.remedy)
        .add("renderer", link.renderer)
        .add("tasks", link.tasks)
        .add("presets", link.presets)
        .end();
}

std::string text(const JobView& job) {
    return Map()
        .add("state", name_of(job.state))
        .add("stage", job.stage)
        .add("fraction", job.fraction)
        .add("seconds_left", job.seconds_left)
        .add("message", job.message)
        .end();
}

std::string text(const GapView& gap) {
    return Map().add("span", gap.span).add("source", name_of(gap.source)).add("reason", gap.reason).end();
}

std::string text(const CaptureView& capture) {
    return Map()
        .add("seconds", capture.seconds)
        .add("max_seconds", capture.max_seconds)
        .add("bytes", capture.bytes)
        .add("heard", capture.heard)
        .add("discontinuous", capture.discontinuous)
        .add("nonfinite", capture.nonfinite)
        .add("lost", capture.lost)
        .add("side_seconds", capture.side_seconds)
        .end();
}

}  // namespace

std::string quoted(const std::string& value) {
    std::string out = "\"";
    for (const char each : value) {
        if (each == '"' || each == '\\') {
            out += '\\';
            out += each;
        } else if (static_cast<unsigned char>(each) < 0x20) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(each));
            out += escaped;
        } else {
            out += each;
        }
    }
    return out + "\"";
}

std::string number(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", value);
    return text;
}

const char* name_of(JobState state) noexcept { return job_states[static_cast<std::size_t>(state)]; }
const char* name_of(LinkState state) noexcept { return link_states[static_cast<std::size_t>(state)]; }
const char* name_of(GapSource source) noexcept { return gap_sources[static_cast<std::size_t>(source)]; }

std::string to_json(const Snapshot& snapshot) {
    return Map()
        .add("rate", snapshot.rate)
        .add("playhead", snapshot.playhead)
        .add("playing", snapshot.playing)
        .add("active", snapshot.active)
        .add("link", snapshot.link)
        .add("job", snapshot.job)
        .add("gap", snapshot.gap)
        .add("capture", snapshot.capture)
        .add("regions", snapshot.regions)
        .add("marks", snapshot.marks)
        .add("song_file", snapshot.song_file)
        .add("notice", snapshot.notice)
        .add("folder", snapshot.folder)
        .add("can_undo", snapshot.can_undo)
        .add("can_redo", snapshot.can_redo)
        .end();
}

}  // namespace segue::plugin::driver
