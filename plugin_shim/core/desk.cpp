#include "core/desk.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "core/lossless.hpp"
#include "core/resample.hpp"

namespace segue::plugin {
namespace {

constexpr std::int64_t receive_credits = 8;  // chunks of 1 MiB that the renderer may send ahead
constexpr std::size_t most_wishes = 16;
constexpr Seconds look_interval{0.05};

}  // namespace

Desk::Desk(Model& model, Realtime& realtime, const EngineSettings& settings, std::function<bool()> goes_on)
    : model_(model), realtime_(realtime), settings_(settings), goes_on_(std::move(goes_on)) {}

void Desk::arm(const Armed& wish) {
    if (wishes_.size() >= most_wishes) wishes_.pop_front();
    wishes_.push_back(wish);
    next_look_ = {};
    if (request_ == nullptr) show(JobState::armed);
}

// ---- from a wish to a request --------------------------------------------------------------------------------------

void Desk::look(const Realtime::State& state, const Hearing& hearing, const LinkView& link, Clock::time_point now) {
    // what was ordered since is armed in the next round
    if (model_.orders.renders > 0 || wishes_.empty() || (now < next_look_ && !state.waiting)) return;
    next_look_ = now + std::chrono::duration_cast<Clock::duration>(look_interval);
    if (request_ != nullptr) {
        await_wishes(state);
        return;
    }
    const bool stopped = state.waiting || hearing.stopped(state.active && state.playing, now);
    asked_.clear();
    for (auto wish = wishes_.begin(); wish != wishes_.end();) {
        const Look found = look_at(*wish, state, hearing, stopped, link);
        if (found == Look::waits) {
            ++wish;
            continue;
        }
        wish = wishes_.erase(wish);
        if (found == Look::submits) return;
    }
    await(asked_);
}

Desk::Look Desk::look_at(const Armed& wish, const Realtime::State& state, const Hearing& hearing, bool stopped,
                         const LinkView& link) {
    const GapView gap = model_.gap_at(wish.playhead, state);
    const Values values = values_for(wish);
    const bool continuation = std::lround(values[index(Parameter::task)]) == static_cast<long>(Task::continuation);
    std::string reason = waits_for(wish, gap, model_.song, hearing, stopped, continuation);
    if (!reason.empty()) {
        // a bounce that comes back to a gap that was heard finds its render, or waits for it
        if (model_.heard_all_of(gap)) asked_.push_back(gap.span);
        show(JobState::armed, std::move(reason));
        return Look::waits;
    }
    if (!offer_) {
        // by automation, each pass asks again: without a renderer a bounce keeps what it has
        const auto task = static_cast<Task>(std::lround(values[index(Parameter::task)]));
        if (wish.rolling && rendered_already(protocol_name(task), gap.span, model_.song.rate())) return Look::drops;
        asked_.push_back(gap.span);
        show(JobState::waiting, "waits for a renderer: " + link.text);
        return Look::waits;
    }
    return make(gap, wish) ? Look::submits : Look::drops;
}

// Automation moves on until the music behind the gap was heard; who presses Render may still turn the knobs.
Values Desk::values_for(const Armed& wish) const {
    Values values = wish.values.value_or(realtime_.values());
    values[index(Parameter::candidate)] = realtime_.parameter(Parameter::candidate);  // what is heard is what is sent
    return values;
}

bool Desk::make(const GapView& gap, const Armed& wish) {
    Wish wanted;
    wanted.job = new_job_id();
    wanted.generation = model_.renders.new_id();
    wanted.gap = gap;
    wanted.values = values_for(wish);
    wanted.regions = model_.heard;
    wanted.file = model_.file;
    wanted.presets = model_.presets.names();
    wanted.seed = seed_for(gap.span);
    wanted.credits = receive_credits;
    Expected<Request> made = make_request(model_.song, wanted, *offer_);
    if (!made) {
        show(JobState::failed, words_of(made.error()));
        return false;
    }
    if (wish.rolling && rendered_already(made->submit.task, made->region, made->rate)) {
        show(JobState::done, "this gap is rendered: press Render for another one");
        return false;
    }
    made->submit.settings.method = settings_.method.empty() ? std::nullopt : std::optional(settings_.method);
    made->submit.settings.steps = settings_.steps > 0 ? std::optional(settings_.steps) : std::nullopt;
    request_ = std::make_unique<Request>(std::move(*made));
    digested_ = false;
    retry_at_ = {};
    takes_.clear();
    model_.open_region = wanted.generation;
    model_.newer_state.clear();
    asked_ = model_.awaited;
    asked_.erase(std::remove_if(asked_.begin(), asked_.end(),
                                [this](const Span& span) { return span.overlaps(request_->region); }),
                 asked_.end());
    asked_.push_back(request_->region);
    await(asked_);
    show(JobState::sending, request_->message());
    return true;
}

bool Desk::rendered_already(std::string_view task, const Span& span, double rate) const {
    const auto& all = model_.renders.all();
    return std::any_of(all.begin(), all.end(), [&](const Region& region) {
        return region.complete && !region.undone && region.task == task && region.rate == rate && region.span == span;
    });
}

// Others for each render of the same place: the first is 0, so that who asks for the same gets the same.
std::int64_t Desk::seed_for(const Span& gap) const {
    const auto& all = model_.renders.all();
    return std::int64_t{max_takes} * std::count_if(all.begin(), all.end(), [&](const Region& region) {
               return convert_span(region.span, region.rate, model_.song.rate()).overlaps(gap);
           });
}

// While a job is under way: a bounce waits for it, and for what is wished for besides.
void Desk::await_wishes(const Realtime::State& state) {
    asked_ = {request_->region};
    for (const Armed& wish : wishes_) {
        const GapView gap = model_.gap_at(wish.playhead, state);
        const bool known = std::find(asked_.begin(), asked_.end(), gap.span) != asked_.end();
        if (!known && model_.heard_all_of(gap)) asked_.push_back(gap.span);
    }
    await(asked_);
}

void Desk::await(const std::vector<Span>& spans) {
    if (spans != model_.awaited) {
        model_.awaited = spans;
        model_.play(realtime_, true);
    }
}

// ---- a job ---------------------------------------------------------------------------------------------------------

void Desk::step(Connection* connection, Clock::time_point now) {
    connection_ = connection;
    if (request_ == nullptr || connection == nullptr) return;
    if (exchange_ == nullptr && now >= retry_at_) {
        // a bounce does not wait until all of it is hashed
        if (!realtime_.state().offline && !std::exchange(digested_, true)) add_digests(*request_, goes_on_);
        request_->submit.job = new_job_id();
        exchange_ = std::make_unique<JobExchange>(request_->submit, request_->streams);
        if (auto why = exchange_->start(*connection)) hear(*why);
    }
    if (exchange_ == nullptr) return;
    if (auto why = exchange_->pump(*connection, now)) {
        hear(*why);
    } else if (exchange_->sending()) {
        show(JobState::sending, request_->message(), "send");
    }
}

void Desk::on_online(const protocol::Welcome& welcome) {
    offer_ = Offer{welcome.tasks, welcome.presets, welcome.limits};
    retry_at_ = {};
    next_look_ = {};
    const std::lock_guard<std::mutex> lock(model_.mutex);
    model_.presets.offer(welcome.presets);
    model_.changed = true;
}

void Desk::on_message(const Incoming& incoming) {
    if (exchange_ == nullptr || connection_ == nullptr) return;
    std::optional<JobEvent> event = exchange_->hear(incoming, *connection_);
    if (event) std::visit([this](auto& one) { hear(one); }, *event);
}

void Desk::on_lost(const protocol::Failure& why) {
    offer_.reset();
    connection_ = nullptr;
    if (exchange_ != nullptr) end(JobState::failed, words_of(why));
}

void Desk::hear(const JobAccepted& accepted) {
    const std::string ahead = std::to_string(accepted.waiting) + " jobs are before this one";
    show(JobState::queued, accepted.waiting == 0 ? std::string() : ahead, "queued");
}

void Desk::hear(const JobBusy& busy) {
    exchange_.reset();
    retry_at_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(busy.retry_after));
    const auto seconds = static_cast<long>(busy.retry_after + 0.5);
    show(JobState::waiting, busy.message + "; again in " + std::to_string(seconds) + " s", "busy");
}

void Desk::hear(const JobProgress& progress) {
    const JobState made = progress.fraction < 1.0 ? JobState::running : JobState::receiving;
    show(progress.stage == "queued" ? JobState::queued : made, progress.message, progress.stage);
    view_.fraction = progress.fraction;
    view_.seconds_left = progress.seconds_left;
}

void Desk::hear(Delivered& delivered) {
    Expected<Audio> rounded = round_to_24(std::move(delivered.audio));
    if (!rounded) {
        give_up(rounded.error());
        return;
    }
    Expected<Packed> packed = pack(*rounded);  // here, once: hosts save often, and wait for it
    if (!packed) {
        give_up(packed.error());
        return;
    }
    Take take;
    take.candidate = delivered.candidate;
    take.method = std::move(delivered.method);
    take.how = std::move(delivered.how);
    take.score = delivered.score;
    take.seed = delivered.seed;
    take.audio = std::make_shared<const Audio>(std::move(*rounded));
    take.packed = std::make_shared<const Packed>(std::move(*packed));
    takes_.push_back(take);
    if (takes_.size() > max_takes) return;  // the ranking tells whether it is heard
    const std::lock_guard<std::mutex> lock(model_.mutex);
    Region* region = open_region();
    if (region == nullptr) return;
    region->takes.push_back(std::move(take));
    model_.play(realtime_, region->takes.size() == 1);
}

// The region of the job under way, made where this is its first take; nullptr: the job is about what is no more.
Region* Desk::open_region() {
    const auto id = static_cast<std::uint64_t>(request_->submit.generation);
    if (model_.open_region != id) return nullptr;
    if (model_.renders.find(id) == nullptr) {
        Region made;
        made.id = id;
        made.span = request_->region;
        made.rate = request_->rate;
        made.task = request_->submit.task;
        model_.renders.add(std::move(made));
    }
    return model_.renders.find(id);
}

void Desk::hear(JobResult& result) {
    std::vector<Take> ranked;
    for (const std::int64_t number : result.ranking) {
        const auto has_number = [number](const Take& one) { return one.candidate == number; };
        const auto take = std::find_if(takes_.begin(), takes_.end(), has_number);
        // where there are fewer ways to fill the gap than were asked for, one may be ranked twice
        if (take == takes_.end() || std::any_of(ranked.begin(), ranked.end(), has_number)) continue;
        if (ranked.size() == max_takes) break;
        ranked.push_back(*take);
        ranked.back().recipe = result.recipes[number];
    }
    {
        const std::lock_guard<std::mutex> lock(model_.mutex);
        if (Region* region = open_region()) {
            region->takes = std::move(ranked);
            region->report = std::move(result.report);
            region->complete = true;
            const Take& best = region->takes.front();
            finished_ = Finished{region->span, region->task, best.method, best.audio};
        }
        model_.open_region = 0;
        model_.stop_awaiting(request_->region);
        model_.play(realtime_, false);
    }
    show(JobState::done, request_->message());
    view_.fraction = 1.0;
    request_.reset();
    exchange_.reset();
}

void Desk::hear(const JobCancelled& cancelled) { end(JobState::cancelled, cancelled.message); }

void Desk::hear(const protocol::Failure& failure) { end(JobState::failed, words_of(failure)); }

// Nothing can be made of what came: the renderer need not go on.
void Desk::give_up(const protocol::Failure& failure) {
    exchange_->cancel(*connection_);
    hear(failure);
}

// A job without a result leaves nothing.
void Desk::end(JobState state, const std::string& message) {
    {
        const std::lock_guard<std::mutex> lock(model_.mutex);
        model_.renders.drop(model_.open_region);
        model_.open_region = 0;
        if (request_ != nullptr) model_.stop_awaiting(request_->region);
        model_.play(realtime_, true);
    }
    show(state, message);
    request_.reset();
    exchange_.reset();
}

void Desk::cancel(const std::string& why) {
    if (exchange_ != nullptr && connection_ != nullptr) exchange_->cancel(*connection_);
    const bool was_busy = busy();
    wishes_.clear();
    {
        const std::lock_guard<std::mutex> lock(model_.mutex);
        model_.awaited.clear();
    }
    end(was_busy ? JobState::cancelled : JobState::none, was_busy ? why : std::string());
}

std::optional<Finished> Desk::take_finished() { return std::exchange(finished_, std::nullopt); }

void Desk::show(JobState state, std::string message, std::string stage) {
    JobView next;
    next.state = state;
    next.message = std::move(message);
    next.stage = std::move(stage);
    if (view_.state == JobState::sending || view_.state == JobState::queued || view_.state == JobState::running) {
        next.fraction = view_.fraction;
    }
    view_ = std::move(next);
    changed_ = true;
}

}  // namespace segue::plugin
