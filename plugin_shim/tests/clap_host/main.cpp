// A small CLAP host: commands on standard input, one a line; an answer to each on standard output, "ok ..." or
// "error ...". Frames are samples of the song, parameters are numbers. See the table below.
#include <sndfile.h>

#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "session.hpp"
#include "window.hpp"

namespace segue::host {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

template <class Value>
Value next(std::istringstream& line) {
    Value value{};
    if (!(line >> value)) {
        fail("too few words");
    }
    return value;
}

// Those that are no numbers too.
template <>
double next<double>(std::istringstream& line) {
    return std::stod(next<std::string>(line));
}

// What is left of a line: a path or a text, which may have spaces.
std::string rest(std::istringstream& line) {
    std::string text;
    std::getline(line >> std::ws, text);
    return text;
}

bool on(std::istringstream& line) { return next<std::string>(line) == "on"; }

Sound read_sound(const std::string& path) {
    SF_INFO about{};
    const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file(sf_open(path.c_str(), SFM_READ, &about), sf_close);
    if (file == nullptr || about.channels != 2) {
        fail("no stereo sound file: " + path);
    }
    std::vector<float> interleaved(static_cast<std::size_t>(about.frames) * 2);
    if (sf_readf_float(file.get(), interleaved.data(), about.frames) != about.frames) {
        fail("cut short: " + path);
    }
    Sound sound;
    for (std::size_t each = 0; each < interleaved.size(); ++each) {
        sound[each % 2].push_back(interleaved[each]);
    }
    return sound;
}

void write_sound(const std::string& path, const Sound& sound) {
    SF_INFO about{};
    about.samplerate = 48000;
    about.channels = 2;
    about.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
    const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file(sf_open(path.c_str(), SFM_WRITE, &about), sf_close);
    std::vector<float> interleaved;
    for (std::size_t each = 0; each < sound[0].size(); ++each) {
        interleaved.push_back(sound[0][each]);
        interleaved.push_back(sound[1][each]);
    }
    const auto frames = static_cast<sf_count_t>(sound[0].size());
    if (file == nullptr || sf_writef_float(file.get(), interleaved.data(), frames) != frames) {
        fail("cannot write " + path);
    }
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        fail("cannot read " + path);
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

class Host {
public:
    // Answers a line; false: to quit.
    bool answer(const std::string& text) {
        std::istringstream line(text);
        const auto command = next<std::string>(line);
        const auto found = commands_.find(command);
        if (command == "quit") {
            return false;
        }
        if (found == commands_.end()) {
            fail("unknown: " + command);
        }
        if (session_ == nullptr && command != "open") {
            fail("nothing is open");
        }
        std::ostringstream said;
        said << std::setprecision(std::numeric_limits<double>::max_digits10);
        found->second(line, said);
        std::cout << "ok" << said.str() << std::endl;
        return true;
    }

private:
    using Words = std::istringstream;
    using Answer = std::ostringstream;

    void parameters(Answer& said) const {
        for (const auto& each : session_->parameters()) {
            said << ' ' << each.id << '|' << each.name << '|' << each.flags << '|' << each.min_value << '|'
                 << each.max_value << '|' << each.default_value << '|' << session_->value(each.id) << ';';
        }
    }

    void roll(Words& line) {
        const auto frames = next<std::int64_t>(line);
        std::vector<std::uint32_t> sizes;
        for (std::uint32_t size = 0; line >> size;) {
            sizes.push_back(size);
        }
        session_->roll(frames, sizes.empty() ? std::vector<std::uint32_t>{512} : sizes);
        session_->main_thread();
    }

    void side(Words& line) {
        const std::string which = rest(line);
        session_->side_chain = which == "silent"   ? SideChain::silent
                               : which == "absent" ? SideChain::absent
                                                   : SideChain::sounding;
        if (session_->side_chain == SideChain::sounding) {
            session_->side = read_sound(which);
        }
    }

    void loop(Words& line) {
        session_->loop_start = next<std::int64_t>(line);
        session_->loop_stop = next<std::int64_t>(line);
        session_->looping = on(line);
    }

    void save(Words& line) const {
        const auto part = next<std::size_t>(line);
        std::ofstream(rest(line), std::ios::binary) << session_->save(part);
    }

    void load(Words& line, Answer& said) const {
        const auto part = next<std::size_t>(line);
        said << ' ' << session_->load(read_file(rest(line)), part);
    }

    void edits(Answer& said) {
        for (const auto& [id, values] : session_->edits) {
            said << ' ' << id << ':' << values.back();
        }
        session_->edits.clear();
    }

    void window(Words& line, Answer& said) {
        const auto scale = next<double>(line);
        window_ = std::make_unique<Window>(*session_, rest(line), scale);
        said << ' ' << window_->id() << ' ' << window_->width() << ' ' << window_->height();
    }

    Window& shown() {
        if (window_ == nullptr) {
            fail("no window is open");
        }
        return *window_;
    }

    std::unique_ptr<Session> session_;
    std::unique_ptr<Window> window_;
    const std::map<std::string, std::function<void(Words&, Answer&)>> commands_ = {
        // open PATH; close; makes ID: whether the library makes a plug-in of this id
        {"open", [this](Words& line, Answer&) { session_ = std::make_unique<Session>(rest(line)); }},
        {"close", [this](Words&, Answer&) { window_.reset(), session_.reset(); }},
        {"makes", [this](Words& line, Answer& said) { said << ' ' << session_->makes(rest(line)); }},
        // activate RATE MAX_BLOCK; deactivate
        {"activate",
         [this](Words& line, Answer&) {
             const auto rate = next<double>(line);
             session_->activate(rate, next<std::uint32_t>(line));
         }},
        {"deactivate", [this](Words&, Answer&) { session_->deactivate(); }},
        // input FILE; side FILE|silent|absent; output FILE: what was played so far; forget: drops it
        {"input", [this](Words& line, Answer&) { session_->input = read_sound(rest(line)); }},
        {"side", [this](Words& line, Answer&) { side(line); }},
        {"output", [this](Words& line, Answer&) { write_sound(rest(line), session_->output); }},
        {"forget", [this](Words&, Answer&) { session_->output = {}; }},
        // play on|off; seek FRAME; tempo BPM; loop START STOP on|off; transport on|off; offline on|off; in-place on|off;
        // mono on|off: the track's bus
        {"play", [this](Words& line, Answer&) { session_->playing = on(line); }},
        {"seek", [this](Words& line, Answer&) { session_->position = next<std::int64_t>(line); }},
        {"tempo", [this](Words& line, Answer&) { session_->tempo = next<double>(line); }},
        {"loop", [this](Words& line, Answer&) { loop(line); }},
        {"transport", [this](Words& line, Answer&) { session_->transport = on(line); }},
        {"offline", [this](Words& line, Answer&) { session_->set_offline(on(line)); }},
        {"in-place", [this](Words& line, Answer&) { session_->in_place = on(line); }},
        {"mono", [this](Words& line, Answer&) { session_->mono = on(line); }},
        // roll FRAMES [SIZE...]: processes in blocks of these sizes, in turn
        {"roll", [this](Words& line, Answer&) { roll(line); }},
        // set ID VALUE [SPACE]; at FRAME ID VALUE: automation; get ID; text ID VALUE; value ID TEXT; parameters
        {"set",
         [this](Words& line, Answer&) {
             const auto id = next<clap_id>(line);
             const auto value = next<double>(line);
             std::uint16_t space = CLAP_CORE_EVENT_SPACE_ID;
             line >> space;
             session_->set(id, value, line ? space : std::uint16_t{CLAP_CORE_EVENT_SPACE_ID});
         }},
        {"at",
         [this](Words& line, Answer&) {
             const auto frame = next<std::int64_t>(line);
             const auto id = next<clap_id>(line);
             session_->automate(frame, id, next<double>(line));
         }},
        {"get", [this](Words& line, Answer& said) { said << ' ' << session_->value(next<clap_id>(line)); }},
        {"text",
         [this](Words& line, Answer& said) {
             const auto id = next<clap_id>(line);
             said << ' ' << session_->text(id, next<double>(line));
         }},
        {"value",
         [this](Words& line, Answer& said) {
             const auto id = next<clap_id>(line);
             said << ' ' << session_->parse(id, rest(line));
         }},
        {"parameters", [this](Words&, Answer& said) { parameters(said); }},
        // save PART FILE; load PART FILE: 1 or 0; PART: the stream moves at most so many bytes at once
        {"save", [this](Words& line, Answer&) { save(line); }},
        {"load", [this](Words& line, Answer& said) { load(line, said); }},
        // window SCALE TITLE: X11 id, width, height; idle SECONDS: lets it live; picture FILE: a PPM; close-window
        // resize WIDTH HEIGHT, scale FACTOR: as the host does it while the window is open; size: width, height
        // edits: the last value of each parameter that was edited in the UI
        {"window", [this](Words& line, Answer& said) { window(line, said); }},
        {"resize",
         [this](Words& line, Answer&) {
             const auto width = next<std::uint32_t>(line);
             shown().resize(width, next<std::uint32_t>(line));
         }},
        {"scale", [this](Words& line, Answer&) { shown().scale(next<double>(line)); }},
        {"size",
         [this](Words&, Answer& said) {
             shown().measure();
             said << ' ' << window_->width() << ' ' << window_->height();
         }},
        {"idle", [this](Words& line, Answer&) { shown().idle(next<double>(line)); }},
        {"picture", [this](Words& line, Answer&) { shown().picture(rest(line)); }},
        {"edits", [this](Words&, Answer& said) { edits(said); }},
        {"close-window", [this](Words&, Answer&) { window_.reset(); }},
    };
};

}  // namespace
}  // namespace segue::host

int main() {
    segue::host::Host host;
    for (std::string line; std::getline(std::cin, line);) {
        try {
            if (!host.answer(line)) {
                return 0;
            }
        } catch (const std::exception& problem) {
            std::cout << "error " << problem.what() << std::endl;
        }
    }
    return 0;
}
