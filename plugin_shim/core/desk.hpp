// From a wish to a rendered region: when to submit, what is asked, and what comes back. For the worker thread alone;
// the model's mutex is taken here where a function does not say that it must be held.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/armed.hpp"
#include "core/engine.hpp"
#include "core/link/job.hpp"
#include "core/link/link.hpp"
#include "core/model.hpp"

namespace segue::plugin {

// A render that is complete, to be written to a file.
struct Finished {
    Span span;
    std::string task;
    std::string method;
    std::shared_ptr<const Audio> audio;
};

class Desk final : public LinkListener {
public:
    // `goes_on`: asked in the middle of long work, whether it is still wanted.
    Desk(Model& model, Realtime& realtime, const EngineSettings& settings, std::function<bool()> goes_on);

    void arm(const Armed& wish);
    void cancel(const std::string& why);  // also forgets a failure

    // With the mutex held: makes a request of the first wish of which enough was heard, one at a time. A bounce waits
    // for all of them.
    void look(const Realtime::State& state, const Hearing& hearing, const LinkView& link, Clock::time_point now);
    // Sends what is to be sent.
    void step(Connection* connection, Clock::time_point now);

    void on_online(const protocol::Welcome& welcome) override;
    void on_message(const Incoming& incoming) override;
    void on_lost(const protocol::Failure& why) override;

    [[nodiscard]] const JobView& view() const noexcept { return view_; }
    [[nodiscard]] bool take_changed() noexcept { return std::exchange(changed_, false); }
    [[nodiscard]] bool busy() const noexcept { return request_ != nullptr || !wishes_.empty(); }
    [[nodiscard]] std::optional<Finished> take_finished();

private:
    enum class Look { waits, submits, drops };

    [[nodiscard]] Look look_at(const Armed& wish, const Realtime::State& state, const Hearing& hearing, bool stopped,
                               const LinkView& link);
    [[nodiscard]] Values values_for(const Armed& wish) const;
    [[nodiscard]] bool make(const GapView& gap, const Armed& wish);
    [[nodiscard]] bool rendered_already(std::string_view task, const Span& span, double rate) const;
    [[nodiscard]] std::int64_t seed_for(const Span& gap) const;
    void await_wishes(const Realtime::State& state);
    void await(const std::vector<Span>& spans);

    void hear(const JobAccepted& accepted);
    void hear(const JobBusy& busy);
    void hear(const JobProgress& progress);
    void hear(Delivered& delivered);
    void hear(JobResult& result);
    void hear(const JobCancelled& cancelled);
    void hear(const protocol::Failure& failure);
    void give_up(const protocol::Failure& failure);
    void end(JobState state, const std::string& message);
    [[nodiscard]] Region* open_region();

    void show(JobState state, std::string message = {}, std::string stage = {});

    Model& model_;
    Realtime& realtime_;
    const EngineSettings& settings_;
    std::function<bool()> goes_on_;
    std::optional<Offer> offer_;
    std::deque<Armed> wishes_;
    std::vector<Span> asked_;  // their gaps, as far as they were heard
    std::unique_ptr<Request> request_;  // submitted, or about to be
    std::unique_ptr<JobExchange> exchange_;
    Connection* connection_ = nullptr;  // as long as there is a session
    std::vector<Take> takes_;           // that came so far, in that order
    Clock::time_point next_look_{};
    Clock::time_point retry_at_{};
    bool digested_ = false;
    std::optional<Finished> finished_;
    JobView view_;
    bool changed_ = true;  // view_, since the latest take_changed()
};

}  // namespace segue::plugin
