// Writes a request for every task into a folder: NAME.header, the packed SUBMIT; NAME.0, NAME.1 ..., the chunks of each
// stream one after another; NAME.place, "START REGION_START REGION_STOP" in samples of the song.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "request_double.hpp"
#include "segue/protocol/codec.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

namespace fs = std::filesystem;

constexpr Span all{1'000, 400'000};
constexpr Span hole{150'000, 160'000};

void write(const fs::path& path, const void* bytes, std::size_t size) {
    std::ofstream(path, std::ios::binary).write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
}

bool write_request(const fs::path& folder, const std::string& name, const Track& track, const Wish& wish) {
    Expected<Request> request = make_request(track.song, wish, full_offer());
    if (!request) {
        std::fprintf(stderr, "%s: %s\n", name.c_str(), request.error().message.c_str());
        return false;
    }
    add_digests(*request);
    const auto packed = segue::protocol::pack(request->submit);
    if (!packed) {
        std::fprintf(stderr, "%s: %s\n", name.c_str(), packed.error().message.c_str());
        return false;
    }
    write(folder / (name + ".header"), packed->header.data(), packed->header.size());
    for (std::size_t i = 0; i < request->streams.size(); ++i) {
        const std::vector<float> payload = chunk_payload(*request->streams[i], 0, request->streams[i]->frames());
        write(folder / (name + "." + std::to_string(i)), payload.data(), payload.size() * sizeof(float));
    }
    const Span& region = request->region;
    std::ofstream(folder / (name + ".place")) << request->start << ' ' << region.start << ' ' << region.stop;
    return true;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "expected a folder\n");
        return 2;
    }
    const fs::path folder = arguments[1];
    const std::vector<Span> two_clips{{0, hole.start}, {hole.stop, 400'000}};
    Track holed(two_clips, all), joined({all}, all), both({all}, all, loud(5));
    for (Track* track : {&holed, &joined, &both}) {
        track->player.lanes.freedom = 0.5F;
        track->player.play({120'000, 130'000});
        track->player.play({500'000, 520'000});
    }
    Wish with_file = wish(Task::fill_gap, hole);
    with_file.file = {"größe.wav", audio_of(loud(9), {0, 96'000}, 48'000.0)};
    Wish styled = wish(Task::restyle, hole);
    styled.values[index(Parameter::preset)] = 1.0F;
    bool fine = write_request(folder, "infill", holed, with_file);
    fine = write_request(folder, "continuation", joined, wish(Task::continuation, hole)) && fine;
    fine = write_request(folder, "regenerate", joined, wish(Task::regenerate, hole)) && fine;
    fine = write_request(folder, "transition", both, wish(Task::transition, hole)) && fine;
    fine = write_request(folder, "join", joined, wish(Task::transition, hole)) && fine;
    fine = write_request(folder, "restyle", joined, styled) && fine;
    return fine ? 0 : 1;
}
