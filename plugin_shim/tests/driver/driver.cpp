#include "driver.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "json.hpp"

namespace segue::plugin::driver {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* done = "{\"ok\": true}";

double since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

std::string seconds_answer(const char* name, double value) {
    return "{\"ok\": true, " + quoted(name) + ": " + number(value) + "}";
}

template <class T>
T next(std::istringstream& words, const char* what) {
    T value{};
    if (!(words >> value)) throw std::runtime_error(std::string("expected ") + what);
    return value;
}

Parameter parameter_named(const std::string& symbol) {
    for (std::size_t each = 0; each < parameter_count; ++each) {
        const auto parameter = static_cast<Parameter>(each);
        if (symbol == info(parameter).symbol) return parameter;
    }
    throw std::runtime_error("expected a parameter, got " + symbol);
}

std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// "job.state=done|failed": which snapshots are waited for. Of a message, a part is enough.
bool matches(const Snapshot& snapshot, const std::string& wanted) {
    const std::size_t at = wanted.find('=');
    const std::string field = wanted.substr(0, at);
    std::istringstream values(at == std::string::npos ? "" : wanted.substr(at + 1));
    const auto value = [&]() -> std::string {
        if (field == "job.state") return name_of(snapshot.job.state);
        if (field == "job.message") return snapshot.job.message;
        if (field == "link.state") return name_of(snapshot.link.state);
        if (field == "regions") return std::to_string(snapshot.regions.size());
        if (field == "heard") return std::to_string(std::lround(snapshot.capture.seconds));
        if (field == "notice") return snapshot.notice.empty() ? "none" : "some";
        throw std::runtime_error("expected a field of the snapshot, got " + field);
    }();
    for (std::string one; std::getline(values, one, '|');) {
        if (one == value || (field == "job.message" && value.find(one) != std::string::npos)) return true;
    }
    return false;
}

}  // namespace

Driver::Driver() : settings_(EngineSettings::from_environment()) {}

std::string Driver::run(const std::string& line) {
    Words words(line);
    const auto command = next<std::string>(words, "a command");
    if (command == "new") return create(words);
    if (command == "destroy") return destroy(words);
    if (command == "activate") return activate(words);
    if (command == "audio" || command == "side") {
        (command == "audio" ? song_ : side_) = read_wav(next<std::string>(words, "a file"));
        return done;
    }
    if (command == "set" || command == "automate") return set(words);
    if (command == "play") return play(words);
    if (command == "play-all") return play_all(words);
    if (command == "idle") {
        const auto seconds = next<double>(words, "seconds");
        return seconds_answer("longest_block", idle(engine(), position_, block_, song_.rate, seconds));
    }
    if (command == "wait") return wait(words);
    if (command == "snapshot") return to_json(*engine().snapshot());
    if (command == "save" || command == "load") return state(command, words);
    if (command == "latest-render") return "{\"path\": " + quoted(engine().latest_render().string()) + "}";
    if (command == "peaks") return peaks(words);
    const CallWatch watch;
    if (!simple(command, words)) throw std::runtime_error("expected a command, got " + command);
    return seconds_answer("seconds", watch.seconds());
}

bool Driver::simple(const std::string& command, Words& words) {
    if (command == "engine") {
        current_ = next<std::size_t>(words, "a number");
    } else if (command == "loop") {
        loop_.start = next<std::int64_t>(words, "a frame");
        loop_.stop = next<std::int64_t>(words, "a frame");
    } else if (command == "deactivate") {
        engine().deactivate();
    } else if (command == "render") {
        engine().render();
    } else if (command == "cancel") {
        engine().cancel();
    } else if (command == "undo") {
        engine().undo();
    } else if (command == "redo") {
        engine().redo();
    } else if (command == "remove") {
        engine().remove(next<std::uint64_t>(words, "a region"));
    } else if (command == "marks") {
        const auto start = next<std::int64_t>(words, "a frame");
        engine().set_marks({start, next<std::int64_t>(words, "a frame")});
    } else if (command == "song") {
        std::string path;
        words >> path;
        engine().set_song_file(path);
    } else if (command == "forget") {
        engine().forget_capture();
    } else if (command == "reconnect") {
        engine().reconnect();
    } else {
        return false;
    }
    return true;
}

// new [COUNT]
std::string Driver::create(Words& words) {
    std::size_t count = 1;
    words >> count;
    const CallWatch watch;
    for (std::size_t each = 0; each < count; ++each) engines_.push_back(std::make_unique<Engine>(settings_));
    current_ = engines_.size() - count;
    return seconds_answer("seconds", watch.seconds());
}

std::string Driver::destroy(Words&) {
    const Clock::time_point began = Clock::now();
    engines_.at(current_).reset();
    return seconds_answer("seconds", since(began));
}

// activate RATE BLOCK; all instances that there are, where "all" follows
std::string Driver::activate(Words& words) {
    const auto rate = next<double>(words, "a rate");
    block_ = next<std::uint32_t>(words, "a block size");
    std::string which;
    words >> which;
    const Clock::time_point began = Clock::now();
    bool accepted = true;
    for (const auto& each : engines_) {
        if (each && (which == "all" || each.get() == &engine())) accepted = each->activate(rate, block_) && accepted;
    }
    return "{\"ok\": " + std::string(accepted ? "true" : "false") + ", \"seconds\": " + number(since(began)) + "}";
}

// set SYMBOL VALUE, or automate SYMBOL VALUE FRAME for the passes to come
std::string Driver::set(Words& words) {
    const Parameter parameter = parameter_named(next<std::string>(words, "a parameter"));
    const auto value = next<float>(words, "a value");
    std::int64_t frame = 0;
    if (words >> frame) {
        automation_.push_back({frame, {parameter, value}});
    } else {
        engine().set_parameter(parameter, value);
    }
    return done;
}

// FROM TO FILE [offline | times real time]
Pass Driver::read_pass(Words& words) const {
    Pass pass;
    pass.span.start = next<std::int64_t>(words, "a frame");
    pass.span.stop = next<std::int64_t>(words, "a frame");
    pass.block = block_;
    pass.loop = loop_;
    pass.side = side_.left.empty() ? nullptr : &side_;
    return pass;
}

std::string Driver::play(Words& words) {
    Pass pass = read_pass(words);
    const auto path = next<std::string>(words, "a file");
    const auto pace = next<std::string>(words, "a pace");
    pass.offline = pace == "offline";
    pass.pace = pass.offline ? 0.0 : std::stod(pace);
    const Played played = driver::play(engine(), song_, pass, automation_);
    position_ = pass.span.stop;
    write_wav(path, played.out);
    return seconds_answer("longest_block", played.longest_block);
}

// All instances at once, offline, each on a thread of its own; instance N writes FILE.N.wav
std::string Driver::play_all(Words& words) {
    Pass pass = read_pass(words);
    pass.offline = true;
    const auto path = next<std::string>(words, "a file");
    std::vector<Wav> outs(engines_.size());
    std::vector<std::thread> threads;
    const Clock::time_point began = Clock::now();
    for (std::size_t each = 0; each < engines_.size(); ++each) {
        threads.emplace_back([&, each] { outs[each] = driver::play(*engines_[each], song_, pass, automation_).out; });
    }
    for (std::thread& thread : threads) thread.join();
    const double took = since(began);
    for (std::size_t each = 0; each < outs.size(); ++each) {
        write_wav(path + "." + std::to_string(each) + ".wav", outs[each]);
    }
    return seconds_answer("seconds", took);
}

// wait FIELD=VALUE[|VALUE] SECONDS; the transport stands, and the host goes on calling. Answers with the snapshot.
std::string Driver::wait(Words& words) {
    const auto wanted = next<std::string>(words, "a condition");
    const auto most = next<double>(words, "seconds");
    const Clock::time_point began = Clock::now();
    while (!matches(*engine().snapshot(), wanted)) {
        if (since(began) > most) throw std::runtime_error(wanted + " did not come: " + to_json(*engine().snapshot()));
        const auto shown = engine().snapshot();
        if (shown->active) {
            (void)idle(engine(), position_, block_, shown->rate, 0.0);
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    return to_json(*engine().snapshot());
}

// save FILE, load FILE
std::string Driver::state(const std::string& command, Words& words) {
    const auto path = next<std::string>(words, "a file");
    if (command == "load") return engine().load(read_text(path)) ? done : "{\"ok\": false}";
    std::ofstream(path, std::ios::binary) << engine().save();
    return done;
}

// peaks FROM TO PARTS
std::string Driver::peaks(Words& words) {
    const auto start = next<std::int64_t>(words, "a frame");
    const auto stop = next<std::int64_t>(words, "a frame");
    const Peaks found = engine().peaks({start, stop}, next<std::uint32_t>(words, "parts"), false);
    std::string high, rendered;
    for (std::size_t i = 0; i < found.high.size(); ++i) {
        const bool heard = found.low[i] <= found.high[i];
        high += (high.empty() ? "" : ", ") + (heard ? number(static_cast<double>(found.high[i])) : "null");
        rendered += std::string(rendered.empty() ? "" : ", ") + (found.rendered[i] ? "true" : "false");
    }
    return "{\"high\": [" + high + "], \"rendered\": [" + rendered + "]}";
}

}  // namespace segue::plugin::driver
