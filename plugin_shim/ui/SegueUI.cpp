#include "ui/SegueUI.hpp"

#include <cmath>
#include <exception>
#include <filesystem>
#include <string_view>

#include "dpf/plugin_access.hpp"
#include "ui/nano_canvas.hpp"
#include "ui/pasted_path.hpp"
#include "ui/screen.hpp"

START_NAMESPACE_DISTRHO

namespace core = segue::plugin;
namespace sui = segue::plugin::ui;

namespace {

constexpr double frame_seconds = 1.0 / 30.0;
constexpr double peaks_seconds = 0.1;  // between two looks at music that is being heard

static_assert(DISTRHO_UI_DEFAULT_WIDTH == static_cast<int>(sui::default_width), "one default size");
static_assert(DISTRHO_UI_DEFAULT_HEIGHT == static_cast<int>(sui::default_height), "one default size");

uint32_t number_of(core::Parameter parameter) { return static_cast<uint32_t>(parameter); }

uint pixels(float logical, float scale) { return static_cast<uint>(std::lround(logical * scale)); }

sui::Modifiers modifiers_of(uint flags) {
    // Command stands for Control on macOS
    return {(flags & kModifierShift) != 0, (flags & (kModifierControl | kModifierSuper)) != 0};
}

bool key_of(uint code, sui::Key& key) {
    switch (code) {
        case '\t': key = sui::Key::tab; return true;
        case '\r':
        case '\n': key = sui::Key::enter; return true;
        case ' ': key = sui::Key::space; return true;
        case kKeyEscape: key = sui::Key::escape; return true;
        case kKeyBackspace:
        case kKeyDelete: key = sui::Key::erase; return true;
        case kKeyLeft: key = sui::Key::left; return true;
        case kKeyRight: key = sui::Key::right; return true;
        case kKeyUp: key = sui::Key::up; return true;
        case kKeyDown: key = sui::Key::down; return true;
        case kKeyPageUp: key = sui::Key::page_up; return true;
        case kKeyPageDown: key = sui::Key::page_down; return true;
        case kKeyHome: key = sui::Key::home; return true;
        case kKeyEnd: key = sui::Key::end; return true;
        default: return false;
    }
}

}  // namespace

template <typename Work>
auto SegueUI::guarded(Work work) noexcept -> decltype(work()) {
    try {
        return work();
    } catch (const std::exception& error) {
        d_stderr2("Segue: the window could not do that: %s", error.what());
    }
    return decltype(work())();
}

SegueUI::SegueUI() : interaction_(*this) {
    if (void* const instance = getPluginInstancePointer()) engine_ = &core::engine_of(instance);
    interaction_.set_engine(engine_ != nullptr);
    loadSharedResources();
    set_scale(getScaleFactor(), sui::default_width, sui::default_height);
}

// ---- from the host

void SegueUI::parameterChanged(uint32_t number, float value) {
    if (number < core::parameter_count) interaction_.set_value(static_cast<core::Parameter>(number), value);
}

void SegueUI::stateChanged(const char*, const char*) {}  // the engine's snapshot tells

void SegueUI::uiScaleFactorChanged(double factor) {
    set_scale(factor, static_cast<float>(getWidth()) / scale_, static_cast<float>(getHeight()) / scale_);
}

void SegueUI::set_scale(double factor, float width, float height) {
    scale_ = factor > 0.0 ? static_cast<float>(factor) : 1.0F;
    setGeometryConstraints(pixels(sui::minimum_width, scale_), pixels(sui::minimum_height, scale_), false, false);
    setSize(pixels(width, scale_), pixels(height, scale_));
}

void SegueUI::uiIdle() {
    guarded([this] {
        const double time = now();
        files_.poll();
        if (engine_ != nullptr) interaction_.set_snapshot(engine_->snapshot());
        interaction_.tick(time);
        if (engine_ != nullptr && peaks_are_stale(time)) fetch_peaks(time);
        dirty_ = interaction_.take_changed() || dirty_;
        if (!dirty_ || time - painted_ < frame_seconds) return;
        dirty_ = false;
        painted_ = time;
        repaint();
    });
}

double SegueUI::now() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count(); }

float SegueUI::value(CoreParameter parameter) const { return interaction_.values()[core::index(parameter)]; }

bool SegueUI::peaks_are_stale(double time) const {
    const sui::Rect& box = interaction_.layout().of(sui::Widget::waveform);
    const bool original = value(CoreParameter::compare) >= 0.5F;
    const bool elsewhere = !(peaks_span_ == interaction_.state().view.span()) ||
                           peaks_parts_ != pixels(box.w, scale_) || peaks_original_ != original ||
                           peaks_candidate_ != value(CoreParameter::candidate);
    return elsewhere || (peaks_snapshot_.get() != &interaction_.snapshot() && time - peaks_time_ >= peaks_seconds);
}

void SegueUI::fetch_peaks(double time) {
    peaks_snapshot_ = engine_->snapshot();
    interaction_.set_snapshot(peaks_snapshot_);
    peaks_span_ = interaction_.state().view.span();
    peaks_parts_ = pixels(interaction_.layout().of(sui::Widget::waveform).w, scale_);
    peaks_original_ = value(CoreParameter::compare) >= 0.5F;
    peaks_candidate_ = value(CoreParameter::candidate);
    peaks_ = engine_->peaks(peaks_span_, peaks_parts_, peaks_original_);
    peaks_time_ = time;
    dirty_ = true;
}

// ---- from the window

void SegueUI::onNanoDisplay() {
    guarded([this] {
        sui::NanoCanvas canvas(*this, scale_);
        sui::draw_screen(canvas, interaction_.layout(), interaction_.scene(peaks_));
    });
}

void SegueUI::onResize(const ResizeEvent& event) {
    UI::onResize(event);
    guarded([&] {
        interaction_.set_size(static_cast<float>(event.size.getWidth()) / scale_,
                              static_cast<float>(event.size.getHeight()) / scale_);
    });
    dirty_ = true;
}

sui::Point SegueUI::logical(const DGL_NAMESPACE::Point<double>& at) const {
    return {static_cast<float>(at.getX()) / scale_, static_cast<float>(at.getY()) / scale_};
}

bool SegueUI::onMouse(const MouseEvent& event) {
    return guarded([&] {
        if (event.press) getWindow().focus();  // or the host keeps the keyboard
        if (event.button > kMouseButtonMiddle) return false;
        const auto button = event.button == kMouseButtonLeft ? sui::MouseButton::left : sui::MouseButton::other;
        if (!event.press) return interaction_.release(logical(event.pos), button);
        return interaction_.press(logical(event.pos), button, modifiers_of(event.mod), now());
    });
}

bool SegueUI::onMotion(const MotionEvent& event) {
    return guarded([&] { return interaction_.motion(logical(event.pos), modifiers_of(event.mod), now()); });
}

bool SegueUI::onScroll(const ScrollEvent& event) {
    return guarded([&] {
        return interaction_.scroll(logical(event.pos), static_cast<float>(event.delta.getX()),
                                   static_cast<float>(event.delta.getY()), modifiers_of(event.mod));
    });
}

bool SegueUI::onKeyboard(const KeyboardEvent& event) {
    return guarded([&] {
        sui::Key key{};
        const sui::Modifiers modifiers = modifiers_of(event.mod);
        if (!event.press) return false;
        if (key_of(event.key, key)) return interaction_.key(key, modifiers, '\0', now());
        if (!modifiers.control || event.key > 'z') return false;
        if (event.key == 'v' && engine_ != nullptr) {
            paste_song();
            return true;
        }
        return interaction_.key(sui::Key::character, modifiers, static_cast<char>(event.key), now());
    });
}

bool SegueUI::onCharacterInput(const CharacterInputEvent& event) {
    return guarded([&] {
        const bool printable = event.character > ' ' && event.character < 0x7FU;
        if (!printable || modifiers_of(event.mod).control) return false;
        return interaction_.key(sui::Key::character, modifiers_of(event.mod), static_cast<char>(event.character),
                                now());
    });
}

// ---- what the interaction asks for; all but parameters only where there is an engine

void SegueUI::begin_edit(CoreParameter parameter) { editParameter(number_of(parameter), true); }
void SegueUI::set(CoreParameter parameter, float value) { setParameterValue(number_of(parameter), value); }
void SegueUI::end_edit(CoreParameter parameter) { editParameter(number_of(parameter), false); }

void SegueUI::render() { engine_->render(); }
void SegueUI::cancel() { engine_->cancel(); }
void SegueUI::undo() { engine_->undo(); }
void SegueUI::redo() { engine_->redo(); }
void SegueUI::remove(std::uint64_t region) { engine_->remove(region); }
void SegueUI::set_marks(const core::Span& marks) { engine_->set_marks(marks); }
void SegueUI::forget_capture() { engine_->forget_capture(); }
void SegueUI::clear_song() { engine_->set_song_file({}); }
void SegueUI::reconnect() { engine_->reconnect(); }

void SegueUI::browse_song() {
    FileBrowserOptions options;
    options.title = "A bounce of the whole song";
    if (!openFileBrowser(options))
        interaction_.set_notice("The file browser could not be opened. Copy the file and paste it here.");
}

void SegueUI::uiFileBrowserSelected(const char* file) {
    if (file == nullptr || engine_ == nullptr) return;
    guarded([&] { engine_->set_song_file(std::filesystem::u8path(file)); });
}

uint32_t SegueUI::uiClipboardDataOffer() {
    uint32_t plain = 0;
    for (const DGL_NAMESPACE::ClipboardDataOffer& offer : getClipboardDataOfferTypes()) {
        const std::string_view type = offer.type;
        if (type == "text/uri-list") return offer.id;
        if (type == "text/plain" || type == "UTF8_STRING") plain = offer.id;
    }
    return plain;
}

void SegueUI::paste_song() {
    std::size_t size = 0;
    const void* const data = getClipboard(size);
    const std::string_view text =
        data != nullptr ? std::string_view{static_cast<const char*>(data), size} : std::string_view{};
    if (const auto path = sui::pasted_path(text.substr(0, text.find('\0')))) {
        engine_->set_song_file(*path);
    } else {
        interaction_.set_notice(
            "The clipboard holds no file and no path. Copy the bounce in the file manager, then paste it here.");
    }
}

void SegueUI::reveal() {
    const std::filesystem::path latest = engine_->latest_render();
    const std::string folder = interaction_.snapshot().folder;
    const std::string problem = files_.show(latest.empty() ? std::filesystem::u8path(folder) : latest);
    if (!problem.empty()) interaction_.set_notice(problem);
}

UI* createUI() { return new SegueUI(); }

END_NAMESPACE_DISTRHO
