// From what was heard to what is asked of the renderer: SUBMIT, the audio of its streams, and where the answer belongs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/parameters.hpp"
#include "core/playlist.hpp"
#include "core/refusal.hpp"
#include "core/snapshot.hpp"
#include "core/song.hpp"
#include "segue/protocol/messages.hpp"

namespace segue::plugin {

// What the renderer offers, from WELCOME.
struct Offer {
    std::vector<std::string> tasks;
    std::vector<std::string> presets;
    protocol::Limits limits;
};

// A file given for recall to look in.
struct SongFile {
    std::string name;
    std::shared_ptr<const Audio> audio;
};

struct Wish {
    std::string job;
    std::uint64_t generation = 0;
    GapView gap;
    Values values{};        // of the knobs; values[candidate]: which take of earlier regions is heard
    Playlist regions;       // that are heard: laid into the track, so that a second fill hears the first
    SongFile file;          // audio nullptr: none
    std::vector<std::string> presets;  // the session's, by number; empty: those of the offer
    std::int64_t seed = 0;
    std::int64_t credits = 64;
};

struct Request {
    protocol::Submit submit;
    std::vector<std::shared_ptr<const Audio>> streams;  // as submit.streams
    std::int64_t start = 0;  // song position of the track's first sample: that of a patch is start + patch.start
    Span region;             // song positions the job fills
    double rate = 0.0;
    std::vector<std::string> notes;  // what was left out or simplified, for people

    [[nodiscard]] std::string message() const;  // the notes as one line; empty: nothing was left out
};

// Copies audio, and takes as long as that. A refusal says in words why this cannot be asked.
//
// Track: the heard stretch around the gap, no longer than the limits allow, as much of it before as after the gap where
// there is as much. A continuation's ends where the gap starts; a transition's where the gap stops, and its right track
// is the side-chain from the gap's start on. Songs: the file, then what else was heard, nearest first.
//
// Task Transition without sound on the side-chain in the gap becomes regenerate, or infill where the track is silent
// there. Automation that never moves in the track is the knob's value in the wish; else the lane as it was heard.
// Guidance and Style act on a preset: without one they are not sent.
[[nodiscard]] Expected<Request> make_request(const Song& song, const Wish& wish, const Offer& offer);

// Names the streams of a mebibyte and more by digest, so that the renderer need not be sent again what it has. Reads
// all samples: a second for ten minutes. Needs no song, so it can run outside of its guard. Gives up as soon as
// `goes_on` says no; asked every few milliseconds.
void add_digests(Request& request, const std::function<bool()>& goes_on = [] { return true; });

// A stream as the payload of a CHUNK: samples [offset, offset + samples) channel after channel.
[[nodiscard]] std::vector<float> chunk_payload(const Audio& stream, std::int64_t offset, std::int64_t samples);

}  // namespace segue::plugin
