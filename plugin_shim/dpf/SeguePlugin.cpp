// The plug-in as DPF sees it: the core's table of parameters, an engine, one blob of state.
#include <DistrhoPlugin.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <string>

#include "core/engine.hpp"
#include "dpf/host_block.hpp"
#include "dpf/host_state.hpp"

START_NAMESPACE_DISTRHO

namespace core = segue::plugin;

class SeguePlugin final : public Plugin {
public:
    SeguePlugin() : Plugin(static_cast<uint32_t>(core::parameter_count), 0, 1) {}

    [[nodiscard]] core::Engine& engine() noexcept { return engine_; }

protected:
    const char* getLabel() const override { return "Segue"; }
    const char* getDescription() const override { return "Fills gaps with music that fits, made by a local renderer."; }
    const char* getMaker() const override { return "Segue"; }
    const char* getLicense() const override { return "MIT"; }
    uint32_t getVersion() const override {
        return d_version(SEGUE_VERSION_MAJOR, SEGUE_VERSION_MINOR, SEGUE_VERSION_PATCH);
    }
    int64_t getUniqueId() const override { return d_cconst('S', 'g', 'u', 'e'); }

    void initAudioPort(bool input, uint32_t index, AudioPort& port) override {
        Plugin::initAudioPort(input, index, port);
        if (index < 2) {
            port.groupId = kPortGroupStereo;
            return;
        }
        port.hints = kAudioPortIsSidechain;
        port.groupId = side_group;
        port.name = index == 2 ? "Side-chain Left" : "Side-chain Right";
        port.symbol = index == 2 ? "side_left" : "side_right";
    }

    void initPortGroup(uint32_t group, PortGroup& about) override {
        if (group == side_group) {
            about.name = "Side-chain";
            about.symbol = "sidechain";
        }
    }

    void initParameter(uint32_t number, Parameter& parameter) override {
        const core::ParameterInfo& about = core::info(static_cast<core::Parameter>(number));
        parameter.hints = (about.automatable ? kParameterIsAutomatable : 0) |
                          (about.integer ? kParameterIsInteger : 0) | (about.boolean ? kParameterIsBoolean : 0);
        parameter.name = about.name;
        parameter.symbol = about.symbol;
        parameter.description = about.tip;
        parameter.ranges = ParameterRanges(about.initial, about.minimum, about.maximum);
        if (about.choices != nullptr) {
            name_choices(about, parameter.enumValues);
        }
    }

    // LV2's only; CLAP and VST3 have the blob as their whole state.
    void initState(uint32_t, State& state) override {
        state.key = state_key;
        state.label = "Segue";
        state.hints = kStateIsOnlyForDSP;
    }

    String getState(const char*) const override {
        try {
            kept_.keep(engine_.save());
        } catch (const std::exception& problem) {
            d_stderr("Segue could not save its state: %s", problem.what());
        }
        return String(kept_.blob().c_str());
    }

    void setState(const char* key, const char* value) override {
        try {
            // what is refused leaves all as it was, and the status says why
            if (std::string_view(key) == state_key && *value != '\0' && engine_.load(value)) kept_.keep(value);
        } catch (const std::exception& problem) {
            d_stderr("Segue could not load its state: %s", problem.what());
        }
    }

    float getParameterValue(uint32_t number) const override {
        return engine_.parameter(static_cast<core::Parameter>(number));
    }

    void setParameterValue(uint32_t number, float value) override {
        const auto parameter = static_cast<core::Parameter>(number);
        engine_.set_parameter(parameter, core::info(parameter).integer ? std::round(value) : value);
    }

    void activate() override { (void)engine_.activate(getSampleRate(), getBufferSize()); }  // a refusal is in its status
    void deactivate() override { engine_.deactivate(); }

    void run(const float** inputs, float** outputs, uint32_t frames) override {
        const std::array<const float*, 2> main = core::stereo(inputs[0], inputs[1]);
        const std::array<const float*, 2> side = core::stereo(inputs[2], inputs[3]);
        const float* const* side_chain = side[0] != nullptr ? side.data() : nullptr;
        const core::Transport& transport = getTimePosition().transport;
        if (main[0] != nullptr && outputs[0] != nullptr && outputs[1] != nullptr) {
            engine_.process(main.data(), outputs, side_chain, frames, transport);
        } else {
            run_without_buses(main, outputs, side_chain, frames, transport);
        }
    }

private:
    static constexpr uint32_t side_group = 0;
    static constexpr const char* state_key = "segue";
    static constexpr uint32_t spare_frames = 512;

    static void name_choices(const core::ParameterInfo& about, ParameterEnumerationValues& values) {
        const auto count = static_cast<uint8_t>(about.maximum - about.minimum + 1.0F);
        values.values = new ParameterEnumerationValue[count];  // which DPF deletes
        values.count = count;
        values.restrictedMode = true;
        for (uint8_t each = 0; each < count; ++each) {
            values.values[each].value = about.minimum + static_cast<float>(each);
            values.values[each].label = about.choices[each];
        }
    }

    // Hosts may switch off the main buses too: silence comes in, and what goes out is dropped.
    void run_without_buses(const std::array<const float*, 2>& main, float** outputs, const float* const* side,
                           uint32_t frames, core::Transport transport) {
        for (uint32_t done = 0; done < frames; done += spare_frames) {
            const uint32_t part = std::min(spare_frames, frames - done);
            std::array<const float*, 2> in{};
            std::array<float*, 2> out{};
            std::array<const float*, 2> shifted{};
            for (std::size_t channel = 0; channel < 2; ++channel) {
                in[channel] = main[channel] != nullptr ? main[channel] + done : silence_.data();
                out[channel] = outputs[channel] != nullptr ? outputs[channel] + done : dropped_[channel].data();
                shifted[channel] = side != nullptr ? side[channel] + done : nullptr;
            }
            engine_.process(in.data(), out.data(), side != nullptr ? shifted.data() : nullptr, part, transport);
            transport.frame += transport.playing ? part : 0;
        }
    }

    mutable core::KeptState kept_;  // LV2's
    core::Engine engine_{core::EngineSettings::from_environment()};
    std::array<float, spare_frames> silence_{};
    std::array<std::array<float, spare_frames>, 2> dropped_{};

    DISTRHO_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(SeguePlugin)
};

Plugin* createPlugin() { return new SeguePlugin(); }

END_NAMESPACE_DISTRHO

namespace segue::plugin {

Engine& engine_of(void* instance) noexcept {
    return static_cast<DISTRHO_NAMESPACE::SeguePlugin*>(static_cast<DISTRHO_NAMESPACE::Plugin*>(instance))->engine();
}

}  // namespace segue::plugin
