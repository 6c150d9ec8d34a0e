// The UI as DPF sees it: hands events to the interaction, its wishes to host and engine, and draws.
#pragma once

#include <DistrhoUI.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/engine.hpp"
#include "ui/actions.hpp"
#include "ui/interaction.hpp"
#include "ui/reveal.hpp"

START_NAMESPACE_DISTRHO

class SegueUI final : public UI, private segue::plugin::ui::Actions {
public:
    SegueUI();

protected:
    // from the host
    void parameterChanged(uint32_t number, float value) override;
    void stateChanged(const char* key, const char* value) override;
    void uiIdle() override;
    void uiScaleFactorChanged(double factor) override;
    void uiFileBrowserSelected(const char* file) override;
    uint32_t uiClipboardDataOffer() override;

    // from the window
    void onNanoDisplay() override;
    void onResize(const ResizeEvent& event) override;
    bool onMouse(const MouseEvent& event) override;
    bool onMotion(const MotionEvent& event) override;
    bool onScroll(const ScrollEvent& event) override;
    bool onKeyboard(const KeyboardEvent& event) override;
    bool onCharacterInput(const CharacterInputEvent& event) override;

private:
    using CoreParameter = segue::plugin::Parameter;

    // what the interaction asks for
    void begin_edit(CoreParameter parameter) override;
    void set(CoreParameter parameter, float value) override;
    void end_edit(CoreParameter parameter) override;
    void render() override;
    void cancel() override;
    void undo() override;
    void redo() override;
    void remove(std::uint64_t region) override;
    void set_marks(const segue::plugin::Span& marks) override;
    void forget_capture() override;
    void browse_song() override;
    void clear_song() override;
    void reveal() override;
    void reconnect() override;

    void set_scale(double factor, float width, float height);  // logical pixels
    [[nodiscard]] double now() const;
    [[nodiscard]] float value(CoreParameter parameter) const;
    [[nodiscard]] segue::plugin::ui::Point logical(const DGL_NAMESPACE::Point<double>& at) const;
    [[nodiscard]] bool peaks_are_stale(double time) const;
    void fetch_peaks(double time);
    void paste_song();
    // Runs `work`; an exception is reported and goes no further: above is the host.
    template <typename Work>
    auto guarded(Work work) noexcept -> decltype(work());

    segue::plugin::Engine* engine_ = nullptr;  // nullptr: this host keeps UI and plug-in apart
    float scale_ = 1.0F;                       // device pixels in a logical one
    segue::plugin::ui::Interaction interaction_;
    segue::plugin::ui::FileManager files_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();

    // the peaks at hand, and what they were made from
    segue::plugin::Peaks peaks_;
    std::shared_ptr<const segue::plugin::Snapshot> peaks_snapshot_;
    segue::plugin::Span peaks_span_;
    std::uint32_t peaks_parts_ = 0;
    bool peaks_original_ = false;
    float peaks_candidate_ = 0.0F;
    double peaks_time_ = -1.0;

    bool dirty_ = true;
    double painted_ = -1.0;

    DISTRHO_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(SegueUI)
};

END_NAMESPACE_DISTRHO
