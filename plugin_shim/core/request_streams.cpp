#include "core/request_streams.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/clock.hpp"
#include "core/laid_in.hpp"
#include "segue/protocol/scan.hpp"

namespace segue::plugin {
namespace {

constexpr std::int64_t frame_bytes = 2 * protocol::sample_bytes;
constexpr double shortest_song = 1.0;     // seconds; less is no material to recall from
constexpr std::size_t all_marks = 256;    // of a request, so that its header stays within 64 KiB
constexpr std::size_t longest_name = 64;  // bytes

std::int64_t distance(const Span& span, const Span& from) noexcept {
    return std::max<std::int64_t>({0, from.start - span.stop, span.start - from.stop});
}

// The `most` frames of a stretch next to the gap, which lies outside of it.
Span nearest_part(const Span& stretch, const Span& gap, std::int64_t most) noexcept {
    const std::int64_t size = std::min(stretch.size(), most);
    const bool before = stretch.stop <= gap.start;
    return before ? Span{stretch.stop - size, stretch.stop} : Span{stretch.start, stretch.start + size};
}

std::size_t marks_of(const Request& request) noexcept {
    std::size_t sum = 0;
    for (const protocol::Stream& stream : request.submit.streams) sum += stream.marks.size();
    return sum;
}

std::vector<protocol::Mark> marks_in(const Song& song, const Span& span, Request& request) {
    std::vector<SongMark> found = song.marks(span);
    const std::size_t most = std::min(protocol::max_marks, all_marks - marks_of(request));
    if (found.size() > most) {
        std::stable_sort(found.begin(), found.end(), [&](const SongMark& a, const SongMark& b) {
            return distance(a.span, request.region) < distance(b.span, request.region);
        });
        request.notes.push_back(std::to_string(found.size() - most) + " marks of jumps far from the gap were left out");
        found.resize(most);
        std::stable_sort(found.begin(), found.end(),
                         [](const SongMark& a, const SongMark& b) { return a.span.start < b.span.start; });
    }
    std::vector<protocol::Mark> marks;
    for (const SongMark& mark : found) {
        marks.push_back({mark.kind, mark.span.start - span.start, mark.span.stop - span.start});
    }
    return marks;
}

void push(Request& request, std::string role, std::string name, std::shared_ptr<const Audio> audio,
          std::vector<protocol::Mark> marks) {
    protocol::Stream stream;
    stream.role = std::move(role);
    stream.name = std::move(name);
    stream.rate = std::llround(audio->rate);
    stream.channels = 2;
    stream.samples = audio->frames();
    stream.marks = std::move(marks);
    request.submit.streams.push_back(std::move(stream));
    request.streams.push_back(std::move(audio));
}

std::string name_of(const SongFile& file) {
    const bool speakable = protocol::is_utf8(file.name) && file.name.size() <= longest_name && !file.name.empty();
    return speakable ? file.name : "song file";
}

void add_file(Request& request, const SongFile& file, Budget& budget) {
    const double rate = file.audio->rate;
    const std::int64_t frames = file.audio->frames(), most = budget.next(rate);
    if (most < std::min<std::int64_t>(frames, std::llround(shortest_song * rate))) {
        request.notes.push_back("the song file was left out: the renderer takes no more audio");
        return;
    }
    std::shared_ptr<const Audio> audio = file.audio;
    if (frames > most) {
        const auto cut = [&](const std::vector<float>& all) {
            return std::vector<float>(all.begin(), all.begin() + most);
        };
        audio = std::make_shared<const Audio>(Audio{rate, cut(file.audio->left), cut(file.audio->right)});
        request.notes.push_back("only the first " + seconds_text(most, rate) + " of the song file are sent");
    }
    budget.spend(audio->frames());
    push(request, "song", name_of(file), std::move(audio), {});
}

// What was heard outside of `used`, in pieces of at most `most` frames, nearest to the gap first. Of a stretch before
// the gap the piece at its end is a full one.
std::vector<Span> pieces_of(const Song& song, const SpanSet& used, const Span& gap, std::int64_t most) {
    SpanSet rest;
    for (const Span& span : song.heard()) rest.add(span);
    for (const Span& span : used.spans()) rest.remove(span);
    std::vector<Span> pieces;
    for (Span span : rest.spans()) {
        while (!span.empty()) {
            const Span piece = nearest_part(span, gap, most);
            pieces.push_back(piece);
            piece.start == span.start ? span.start = piece.stop : span.stop = piece.start;
        }
    }
    std::stable_sort(pieces.begin(), pieces.end(),
                     [&](const Span& a, const Span& b) { return distance(a, gap) < distance(b, gap); });
    return pieces;
}

}  // namespace

Budget::Budget(const protocol::Limits& limits)
    : max_seconds_(limits.max_seconds), left_(limits.max_job_bytes / frame_bytes) {}

std::int64_t Budget::longest(double rate) const noexcept {
    return std::min(protocol::max_samples, static_cast<std::int64_t>(std::floor(max_seconds_ * rate)));
}

Span cropped(const Span& stretch, const Span& keep, std::int64_t most) noexcept {
    const std::int64_t spare = std::max<std::int64_t>(0, most - keep.size());
    const std::int64_t before = keep.start - stretch.start, behind = stretch.stop - keep.stop;
    const std::int64_t right = std::min(behind, std::max(spare - before, spare / 2));
    const std::int64_t left = std::min(before, spare - right);
    return {keep.start - left, keep.stop + right};
}

void add_stream(Request& request, std::string role, std::string name, Audio audio, const Song& song, const Span& span) {
    std::vector<protocol::Mark> marks = marks_in(song, span, request);
    push(request, std::move(role), std::move(name), std::make_shared<const Audio>(std::move(audio)), std::move(marks));
}

void add_songs(Request& request, const Song& song, const Wish& wish, const SpanSet& used, Budget& budget) {
    if (wish.file.audio != nullptr) add_file(request, wish.file, budget);
    const std::int64_t least = std::llround(shortest_song * song.rate());
    std::int64_t left_out = 0;
    for (const Span& piece : pieces_of(song, used, request.region, budget.longest(song.rate()))) {
        const Span span = nearest_part(piece, request.region, budget.next(song.rate()));
        const bool fits = request.submit.streams.size() < protocol::max_streams && span.size() >= least;
        left_out += piece.size() - (fits ? span.size() : 0);
        if (!fits) continue;
        Audio audio = song.copy(span);
        lay_in(audio, span.start, wish.regions.segments, chosen_take(wish.values));
        budget.spend(span.size());
        add_stream(request, "song", "heard " + clock_text(span, song.rate()), std::move(audio), song, span);
    }
    if (left_out == 0) return;
    request.notes.push_back(seconds_text(left_out, song.rate()) +
                            " of what was heard away from the gap were left out: pieces too short to recall from, or "
                            "more than the renderer takes");
}

}  // namespace segue::plugin
