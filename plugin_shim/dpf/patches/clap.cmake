# CLAP. Line numbers are those of DPF 1.6's DistrhoPluginCLAP.cpp.
set(clap distrho/src/DistrhoPluginCLAP.cpp)

segue_patch(${clap} [=[
#include "clap/ext/timer-support.h"
]=] [=[
#include "clap/ext/timer-support.h"
#include "dpf/host_clap.hpp"
#include "dpf/host_state.hpp"
]=])

# 881: the position is steady_time, which counts samples since the host was started and never jumps.
segue_patch(${clap} [=[
            fTimePosition.frame = process->steady_time >= 0 ? process->steady_time : 0;
]=] [=[
            const int64_t frame = segue::plugin::clap_frame(transport->song_pos_seconds, fPlugin.getSampleRate());
            fTimePosition.frame = frame >= 0 ? static_cast<uint64_t>(frame) : 0;
]=])
segue_patch(${clap} [=[
        fPlugin.setTimePosition(fTimePosition);
       #endif

        if (const clap_input_events_t* const inputEvents = process->in_events)
]=] [=[
        fTimePosition.transport = segue::plugin::clap_transport(process->transport, fPlugin.getSampleRate(), fOffline);
        fPlugin.setTimePosition(fTimePosition);
       #endif

        if (const clap_input_events_t* const inputEvents = process->in_events)
]=])

# Missing: the render extension, by which hosts announce a bounce.
segue_patch(${clap} [=[
   #if DISTRHO_PLUGIN_WANT_TIMEPOS
    TimePosition fTimePosition;
   #endif
]=] [=[
   #if DISTRHO_PLUGIN_WANT_TIMEPOS
    TimePosition fTimePosition;
   #endif
    std::atomic<bool> fOffline{false};
]=])
segue_patch(${clap} [=[
    void onMainThread()
    {
]=] [=[
    void setOffline(const bool offline) noexcept { fOffline = offline; }

    void onMainThread()
    {
]=])
segue_patch(${clap} [=[
static CLAP_ABI const void* clap_plugin_get_extension(const clap_plugin_t*, const char* const id)
{
]=] [=[
static const segue::plugin::ClapRender clap_plugin_render = {
    [](const clap_plugin_t*) { return false; },
    [](const clap_plugin_t* const plugin, const int32_t mode) {
        static_cast<PluginCLAP*>(plugin->plugin_data)->setOffline(mode == segue::plugin::clap_render_offline);
        return true;
    }
};

static CLAP_ABI const void* clap_plugin_get_extension(const clap_plugin_t*, const char* const id)
{
    if (std::strcmp(id, segue::plugin::clap_render_id) == 0)
        return &clap_plugin_render;
]=])

# 945-1084, one range for all of the following:
# - a transport that changes within a block, as at a loop's end, is not seen before the next;
# - events of other namespaces are taken for CLAP's own, unknown parameter ids write past an array;
# - parameter modulation, gestures and transport events fall into the case of MIDI, whose assertion prints;
# - all changes of a block are applied at its start;
# - a block without the side-chain's bus is an error, which leaves the outputs as they were;
# - the outputs' constant mask is left as the host had it, so that hosts may take music for a constant.
segue_patch_range(${clap} [=[
        if (const clap_input_events_t* const inputEvents = process->in_events)
        {
            if (const uint32_t len = inputEvents->size(inputEvents))
]=] [=[
            flushParameters(nullptr, process->out_events, frames - 1);

            fOutputEvents = nullptr;
        }
]=] [=[
        runSlices(*process);
]=])
segue_patch(${clap} [=[
    void setParameterValueFromEvent(const clap_event_param_value* const event)
    {
]=] [=[
    // The buffers by number of port; nullptr for what the host left out.
    template <class Infos, class Sample, uint32_t count>
    static void collectChannels(const clap_audio_buffer_t* const buses, const uint32_t busCount, const Infos& infos,
                                Sample* (&channels)[count])
    {
        uint32_t port = 0;
        for (uint32_t bus=0; bus<infos.size(); ++bus)
        {
            const clap_audio_buffer_t* const given = bus < busCount ? &buses[bus] : nullptr;
            for (uint32_t channel=0; channel<infos[bus].numChannels && port<count; ++channel, ++port)
                channels[port] = given != nullptr && given->data32 != nullptr && channel < given->channel_count
                               ? given->data32[channel] : nullptr;
        }
    }

    void runSlices(const clap_process_t& process)
    {
        collectChannels(process.audio_inputs, process.audio_inputs_count, fAudioInputBuses, fAudioInputs);
        collectChannels(process.audio_outputs, process.audio_outputs_count, fAudioOutputBuses, fAudioOutputs);
        for (uint32_t bus=0; bus<process.audio_outputs_count; ++bus)
            process.audio_outputs[bus].constant_mask = 0;

        TimePosition position(fTimePosition);
        uint32_t positionFrom = 0;
        segue::plugin::run_clap_block(
            process.in_events, process.frames_count, fPlugin.getParameterCount(),
            [this](const clap_event_param_value_t& event) {
                return (fPlugin.getParameterHints(event.param_id) & (kParameterIsInteger|kParameterIsBoolean)) != 0
                    && d_isNotEqual(fPlugin.getParameterValue(event.param_id), static_cast<float>(event.value));
            },
            [this](const clap_event_param_value_t* const event) { setParameterValueFromEvent(event); },
            [this, &position, &positionFrom](const clap_event_transport_t* const event) {
                position.transport = segue::plugin::clap_transport(event, fPlugin.getSampleRate(), fOffline);
                positionFrom = event->header.time;
            },
            [this, &position, &positionFrom](const uint32_t from, const uint32_t frames) {
                segue::plugin::run_slice<DISTRHO_PLUGIN_NUM_INPUTS, DISTRHO_PLUGIN_NUM_OUTPUTS>(
                    fPlugin, position, positionFrom, fAudioInputs, fAudioOutputs, from, frames);
            });
    }

    void setParameterValueFromEvent(const clap_event_param_value* const event)
    {
]=])

# 104: memory of malloc goes back by delete.
segue_patch(${clap} [=[
        ~Queue()
        {
            delete[] events;
        }
]=] [=[
        ~Queue()
        {
            std::free(events);
        }
]=])

# 827-866: what is edited in the UI reaches plug-in and host only with a block, and names voice 0 of port 0 where all are
# meant. While nothing is processed it now travels with a flush, which is asked for.
segue_patch_range(${clap} [=[
       #if DISTRHO_PLUGIN_HAS_UI
        if (const clap_output_events_t* const outputEvents = process->out_events)
        {
]=] [=[
                    outputEvents->try_push(outputEvents, &clapEvent.header);
                }

                fEventQueue.used = 0;
            }
        }
       #endif
]=] [=[
        sendEventsFromUI(process->out_events);
]=])
segue_patch(${clap} [=[
    void onMainThread()
    {
]=] [=[
    void sendEventsFromUI(const clap_output_events_t* const out)
    {
       #if DISTRHO_PLUGIN_HAS_UI
        if (out == nullptr)
            return;

        const MutexTryLocker cmtl(fEventQueue.lock);
        if (! cmtl.wasLocked())
            return;

        for (uint32_t i=0; i<fEventQueue.used; ++i)
        {
            const Event& edit(fEventQueue.events[i]);
            if (edit.type == kEventParamSet)
            {
                const clap_event_param_value_t event = {
                    { sizeof(event), 0, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_VALUE, CLAP_EVENT_IS_LIVE },
                    edit.index, nullptr, -1, -1, -1, -1, edit.value
                };
                fCachedParameters.values[edit.index] = edit.value;
                fPlugin.setParameterValue(edit.index, edit.value);
                out->try_push(out, &event.header);
            }
            else
            {
                const uint16_t type = edit.type == kEventGestureBegin ? CLAP_EVENT_PARAM_GESTURE_BEGIN
                                                                      : CLAP_EVENT_PARAM_GESTURE_END;
                const clap_event_param_gesture_t event = {
                    { sizeof(event), 0, CLAP_CORE_EVENT_SPACE_ID, type, CLAP_EVENT_IS_LIVE }, edit.index
                };
                out->try_push(out, &event.header);
            }
        }

        fEventQueue.used = 0;
       #else
        (void)out;
       #endif
    }

    void onMainThread()
    {
]=])
segue_patch(${clap} [=[
            rindex, value
        };
        fEventQueue.addEventFromUI(ev);
]=] [=[
            rindex, value
        };
        fEventQueue.addEventFromUI(ev);
        if (const clap_host_params_t* const params = static_cast<const clap_host_params_t*>(
                fHost->get_extension(fHost, CLAP_EXT_PARAMS)))
            params->request_flush(fHost);
]=])

# 1228-1237: the same lack of checks where parameters change outside of process().
segue_patch_range(${clap} [=[
                const clap_event_header_t* const event = in->get(in, i);

                if (event->type != CLAP_EVENT_PARAM_VALUE)
                    continue;
]=] [=[
                setParameterValueFromEvent(static_cast<const clap_event_param_value*>(static_cast<const void*>(event)));
            }
        }

        if (out != nullptr)
]=] [=[
                if (const clap_event_param_value* const event = segue::plugin::clap_parameter(in->get(in, i),
                                                                                              fPlugin.getParameterCount()))
                    setParameterValueFromEvent(event);
            }
        }

        sendEventsFromUI(out);

        if (out != nullptr)
]=])

# 1336: compares ids that carry an offset with ids that do not, so that no bus ever has a type.
segue_patch(${clap} [=[
        switch (busInfo.groupId)
        {
        case kPortGroupMono:
            info->port_type = CLAP_PORT_MONO;
            break;
        case kPortGroupStereo:
            info->port_type = CLAP_PORT_STEREO;
            break;
        default:
            info->port_type = nullptr;
            break;
        }
]=] [=[
        info->port_type = busInfo.numChannels == 1 ? CLAP_PORT_MONO
                        : busInfo.numChannels == 2 ? CLAP_PORT_STEREO : nullptr;
]=])

# 1408-1690, state: a partial write starts again from the first byte; a read that ends within a string takes a byte of
# the read before for its end; empty and cut states count as loaded; parameters are applied while they are read, and
# printed with fewer digits than a float has. The engine's blob has all of it, checked, and is the whole state.
segue_patch_range(${clap} [=[
    bool stateSave(const clap_ostream_t* const stream)
    {
]=] [=[
        if (fHostExtensions.params != nullptr)
            fHostExtensions.params->rescan(fHost, CLAP_PARAM_RESCAN_VALUES|CLAP_PARAM_RESCAN_TEXT);
]=] [=[
    bool stateSave(const clap_ostream_t* const stream)
    {
        return segue::plugin::save_state(fPlugin.getInstancePointer(), [stream](const char* data, const size_t size) {
            return stream->write(stream, data, size);
        });
    }

    bool stateLoad(const clap_istream_t* const stream)
    {
       #if DISTRHO_PLUGIN_HAS_UI
        ClapUI* const ui = fUI.get();
       #endif
        if (! segue::plugin::load_state(fPlugin.getInstancePointer(), [stream](char* data, const size_t size) {
                return stream->read(stream, data, size);
            }))
            return false;

        for (uint32_t i=0; i<fCachedParameters.numParams; ++i)
            fCachedParameters.values[i] = fPlugin.getParameterValue(i);

        if (fHostExtensions.params != nullptr)
            fHostExtensions.params->rescan(fHost, CLAP_PARAM_RESCAN_VALUES|CLAP_PARAM_RESCAN_TEXT);
]=])
# 773: without keys there is nothing to send to the UI when it opens; it reads the engine.
segue_patch(${clap} [=[
            fStateMap[dkey] = fPlugin.getStateDefaultValue(i);
]=] [=[
            (void)dkey;
]=])

# 2533: any id makes a plug-in.
segue_patch(${clap} [=[
                                               const clap_host_t* const host,
                                               const char*)
{
]=] [=[
                                               const clap_host_t* const host,
                                               const char* const id)
{
    if (host == nullptr || id == nullptr || std::strcmp(id, DISTRHO_PLUGIN_CLAP_ID) != 0)
        return nullptr;

]=])
segue_patch(${clap} [=[
        // TODO version string
        "",
]=] [=[
        SEGUE_VERSION,
]=])
