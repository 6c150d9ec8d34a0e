#include "core/link/job.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "core/request.hpp"

namespace segue::plugin {
namespace {

using protocol::Code;
using protocol::failure;
using protocol::Failure;

static_assert(std::numeric_limits<float>::is_iec559 && sizeof(float) == 4, "samples travel as they lie in memory");

// Where the one gap of a job begins, in samples from the track's first one, and its length.
std::pair<std::int64_t, std::int64_t> patch_of(const protocol::Submit& submit) {
    std::int64_t length = 0;
    for (const protocol::Stream& stream : submit.streams) {
        if (stream.role == "track") {
            length = stream.samples;
        }
    }
    if (submit.added) {
        return {submit.backward ? -*submit.added : length, *submit.added};
    }
    if (submit.overlap) {
        return {length - *submit.overlap, *submit.overlap};
    }
    if (submit.gaps.size() == 1) {
        return {submit.gaps[0].first, submit.gaps[0].second - submit.gaps[0].first};
    }
    return {0, 0};  // no candidate fits that
}

std::size_t size(std::int64_t count) noexcept { return static_cast<std::size_t>(count); }

bool all_finite(const float* samples, std::size_t count) noexcept {
    return std::all_of(samples, samples + count, [](float sample) { return std::isfinite(sample); });
}

}  // namespace

std::string new_job_id() {
    std::array<unsigned char, 8> random{};
    std::array<char, 2 * random.size() + 1> text{};
    randombytes_buf(random.data(), random.size());
    sodium_bin2hex(text.data(), text.size(), random.data(), random.size());
    return text.data();
}

JobExchange::JobExchange(protocol::Submit submit, std::vector<std::shared_ptr<const Audio>> streams)
    : submit_(std::move(submit)), streams_(std::move(streams)), allowed_(submit_.credits) {
    const auto [start, samples] = patch_of(submit_);
    expected_ = {start, samples};
}

std::optional<Failure> JobExchange::start(Connection& connection) {
    if (streams_.size() != submit_.streams.size()) {
        return failure(Code::internal, "expected the audio of each stream");
    }
    submitted_ = Clock::now();
    return connection.send(submit_);
}

std::optional<Failure> JobExchange::pump(Connection& connection, Clock::time_point now) {
    if (!accepted_ && now - submitted_ > Connection::lost_after) {
        cancel(connection);
        return failure(Code::lost, "expected an answer to the job within 3 s, got none");
    }
    while (next_ < cuts_.size() && credits_ > 0 && connection.clear()) {
        if (auto why = send_cut(cuts_[next_], connection)) {
            cancel(connection);
            return why;
        }
        ++next_;
        --credits_;
        connection.push();
    }
    return {};
}

std::optional<Failure> JobExchange::send_cut(const Cut& cut, Connection& connection) {
    const protocol::Stream& stream = submit_.streams[size(cut.stream)];
    const Audio& audio = *streams_[size(cut.stream)];
    const std::vector<float> samples = chunk_payload(audio, cut.offset, cut.samples);
    if (!all_finite(samples.data(), samples.size())) {
        return failure(Code::nonfinite, "expected finite samples to send, got NaN or Inf in " + stream.name);
    }
    protocol::Chunk chunk;
    chunk.job = submit_.job;
    chunk.generation = submit_.generation;
    chunk.stream = cut.stream;
    chunk.offset = cut.offset;
    chunk.samples = cut.samples;
    chunk.channels = stream.channels;
    return connection.send(chunk, zmq::message_t(samples.data(), samples.size() * sizeof(float)));
}

void JobExchange::cancel(Connection& connection) {
    protocol::Cancel cancel;
    cancel.job = submit_.job;
    cancel.generation = submit_.generation;
    connection.send(cancel);
}

double JobExchange::sent_fraction() const noexcept {
    return cuts_.empty() ? 1.0 : static_cast<double>(next_) / static_cast<double>(cuts_.size());
}

bool JobExchange::mine(const protocol::Message& message) const {
    return std::visit(
        [&](const auto& one) {
            using Type = std::decay_t<decltype(one)>;
            if constexpr (std::is_same_v<Type, protocol::Error>) {
                return one.job == submit_.job;
            } else if constexpr (std::is_same_v<Type, protocol::Accepted> || std::is_same_v<Type, protocol::Busy> ||
                                 std::is_same_v<Type, protocol::Chunk> || std::is_same_v<Type, protocol::Credit> ||
                                 std::is_same_v<Type, protocol::Progress> ||
                                 std::is_same_v<Type, protocol::Candidate> ||
                                 std::is_same_v<Type, protocol::CandidateRecipe> ||
                                 std::is_same_v<Type, protocol::Result> || std::is_same_v<Type, protocol::Failed> ||
                                 std::is_same_v<Type, protocol::Cancelled> || std::is_same_v<Type, protocol::Timeout>) {
                return one.job == submit_.job && one.generation == submit_.generation;
            } else {
                return false;
            }
        },
        message);
}

std::optional<JobEvent> JobExchange::hear(const Incoming& incoming, Connection& connection) {
    const protocol::Message& message = incoming.message;
    if (!mine(message)) {
        return {};
    }
    if (const auto* accepted = std::get_if<protocol::Accepted>(&message)) {
        return accept(*accepted, connection);
    }
    if (const auto* busy = std::get_if<protocol::Busy>(&message)) {
        return JobBusy{busy->retry_after, busy->message};
    }
    if (const auto* credit = std::get_if<protocol::Credit>(&message)) {
        credits_ = std::min(credits_ + credit->chunks, protocol::max_credits);
        return {};
    }
    if (const auto* progress = std::get_if<protocol::Progress>(&message)) {
        return JobProgress{progress->stage, progress->fraction, progress->seconds_left, progress->message};
    }
    if (const auto* candidate = std::get_if<protocol::Candidate>(&message)) {
        return begin_candidate(*candidate, connection);
    }
    if (const auto* chunk = std::get_if<protocol::Chunk>(&message)) {
        return take_chunk(*chunk, incoming.payload, connection);
    }
    if (const auto* recipe = std::get_if<protocol::CandidateRecipe>(&message)) {
        recipes_[recipe->candidate] = std::string(incoming.payload.text());
        return {};
    }
    if (const auto* result = std::get_if<protocol::Result>(&message)) {
        return finish(*result, incoming.payload);
    }
    if (const auto* cancelled = std::get_if<protocol::Cancelled>(&message)) {
        return JobCancelled{cancelled->message};
    }
    if (const auto* timeout = std::get_if<protocol::Timeout>(&message)) {
        return failure(Code::timeout, timeout->message, timeout->remedy);
    }
    if (const auto* failed = std::get_if<protocol::Failed>(&message)) {
        return failure(protocol::code_named(failed->code), failed->message, failed->remedy);
    }
    const auto& error = std::get<protocol::Error>(message);
    return failure(protocol::code_named(error.code), error.message, error.remedy);
}

JobEvent JobExchange::accept(const protocol::Accepted& accepted, const Connection& connection) {
    accepted_ = true;
    credits_ = accepted.credits;
    for (const std::int64_t number : accepted.needs) {
        if (number >= static_cast<std::int64_t>(submit_.streams.size())) {
            return failure(Code::malformed, "expected a need for a stream of the job, got number " +
                                                std::to_string(number));
        }
        const protocol::Stream& stream = submit_.streams[size(number)];
        const std::int64_t most = connection.welcome()->limits.max_chunk_bytes;
        const std::int64_t full = most / (stream.channels * protocol::sample_bytes);
        for (std::int64_t offset = 0; offset < stream.samples; offset += full) {
            cuts_.push_back({number, offset, std::min(full, stream.samples - offset)});
        }
    }
    return JobAccepted{accepted.waiting};
}

// Whether there is room for a candidate of this number, which is not there yet.
bool JobExchange::is_next(std::int64_t number) const {
    const auto same = [number](const auto& one) { return one.second.about.candidate == number; };
    return size(protocol::max_candidates) > coming_.size() + delivered_.size() &&
           std::find(delivered_.begin(), delivered_.end(), number) == delivered_.end() &&
           std::none_of(coming_.begin(), coming_.end(), same);
}

std::optional<JobEvent> JobExchange::begin_candidate(const protocol::Candidate& candidate, Connection& connection) {
    const protocol::Stream* track = nullptr;
    for (const protocol::Stream& stream : submit_.streams) {
        track = stream.role == "track" ? &stream : track;
    }
    const protocol::Patch& patch = candidate.patches.front();
    if (candidate.patches.size() != 1 || patch.start != expected_.start || patch.samples != expected_.samples ||
        candidate.rate != track->rate || candidate.channels != track->channels || coming_.count(patch.stream) != 0 ||
        !is_next(candidate.candidate)) {
        return refuse("candidate " + std::to_string(candidate.candidate) + " of " + std::to_string(patch.samples) +
                          " samples from " +
                          std::to_string(patch.start) + " at " + std::to_string(candidate.rate) + " Hz",
                      connection);
    }
    Coming coming{candidate, {}, 0};
    coming.audio.rate = static_cast<double>(candidate.rate);
    coming.audio.left.resize(size(patch.samples));
    coming.audio.right.resize(size(patch.samples));
    coming_.emplace(patch.stream, std::move(coming));
    return {};
}

std::optional<JobEvent> JobExchange::take_chunk(const protocol::Chunk& chunk, const protocol::View& payload,
                                                Connection& connection) {
    const auto found = coming_.find(chunk.stream);
    if (found == coming_.end() || allowed_ < 1) {
        return refuse("a chunk of stream " + std::to_string(chunk.stream), connection);
    }
    Coming& coming = found->second;
    if (chunk.channels != coming.about.channels || chunk.offset != coming.received ||
        chunk.samples > coming.audio.frames() - chunk.offset) {
        return refuse("a chunk of " + std::to_string(chunk.samples) + " samples from " + std::to_string(chunk.offset),
                      connection);
    }
    for (std::int64_t channel = 0; channel < 2; ++channel) {
        auto& to = channel == 0 ? coming.audio.left : coming.audio.right;
        const std::int64_t from = chunk.channels == 2 ? channel * chunk.samples : 0;
        std::memcpy(to.data() + chunk.offset, payload.data + from * protocol::sample_bytes,
                    size(chunk.samples * protocol::sample_bytes));
        if (!all_finite(to.data() + chunk.offset, size(chunk.samples))) {
            cancel(connection);
            return failure(Code::nonfinite, "expected finite samples, the renderer sent NaN or Inf");
        }
    }
    coming.received += chunk.samples;
    --allowed_;
    grant(connection);
    if (coming.received < coming.audio.frames()) {
        return {};
    }
    protocol::Candidate& about = coming.about;
    Delivered whole{about.candidate, about.rank, about.method, about.how, about.score, about.seed, {}};
    whole.audio = std::move(coming.audio);
    delivered_.push_back(about.candidate);
    coming_.erase(found);
    return whole;
}

void JobExchange::grant(Connection& connection) {
    if (++unreturned_ < std::max<std::int64_t>(submit_.credits / 2, 1)) {
        return;
    }
    protocol::Credit credit;
    credit.job = submit_.job;
    credit.generation = submit_.generation;
    credit.chunks = unreturned_;
    connection.send(credit);
    allowed_ += std::exchange(unreturned_, 0);
}

JobEvent JobExchange::finish(const protocol::Result& result, const protocol::View& payload) {
    for (const std::int64_t number : result.ranking) {
        const bool delivered = std::find(delivered_.begin(), delivered_.end(), number) != delivered_.end();
        if (!delivered || recipes_.count(number) == 0) {
            return failure(Code::malformed, "expected audio and recipe of candidate " + std::to_string(number) +
                                                " before the result");
        }
    }
    return JobResult{result.ranking, std::move(recipes_), std::string(payload.text())};
}

JobEvent JobExchange::refuse(const std::string& what, Connection& connection) {
    cancel(connection);
    return failure(Code::malformed, "expected what this job asked for, the renderer sent " + what);
}

}  // namespace segue::plugin
