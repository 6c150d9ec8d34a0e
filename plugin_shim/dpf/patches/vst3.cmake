# VST3. Line numbers are those of DPF 1.6's DistrhoPluginVST3.cpp.
set(vst3 distrho/src/DistrhoPluginVST3.cpp)

segue_patch(${vst3} [=[
#include "travesty/audio_processor.h"
]=] [=[
#include "travesty/audio_processor.h"
#include "dpf/host_state.hpp"
#include "dpf/host_vst3.hpp"
]=])

# 1354: "stop processing" deactivates the plug-in, and process() activates it again: an allocation on the audio thread,
# as some hosts say both at each start and stop of the transport.
segue_patch_range(${vst3} [=[
        if (processing)
        {
            if (! fPlugin.isActive())
                fPlugin.activate();
        }
]=] [=[
    v3_result process(v3_process_data* const data)
    {
]=] [=[
        return V3_OK;

        (void)processing;
    }

    v3_result process(v3_process_data* const data)
    {
]=])

# 1377: without a context the position of the block before stays.
segue_patch(${vst3} [=[
       #if DISTRHO_PLUGIN_WANT_TIMEPOS
        if (v3_process_context* const ctx = data->ctx)
        {
]=] [=[
       #if DISTRHO_PLUGIN_WANT_TIMEPOS
        fTimePosition.transport = segue::plugin::vst3_transport(*data, fPlugin.getSampleRate());
        fPlugin.setTimePosition(fTimePosition);

        if (v3_process_context* const ctx = data->ctx)
        {
]=])

# 1433-1624, one range for all of the following:
# - a block without frames, by which hosts change parameters while nothing plays, changes none;
# - only the first bus is read, so the side-chain is never heard;
# - the buffer of silence has the declared block size, and a longer block writes past it;
# - points after a block's first sample are applied at its end.
segue_patch_range(${vst3} [=[
        if (data->nframes <= 0)
        {
            updateParametersFromProcessing(data->output_params, 0);
            return V3_OK;
        }
]=] [=[
        updateParametersFromProcessing(data->output_params, data->nframes - 1);
        return V3_OK;
    }
]=] [=[
        const float* inputs[DISTRHO_PLUGIN_NUM_INPUTS];
        float* outputs[DISTRHO_PLUGIN_NUM_OUTPUTS];
        segue::plugin::vst3_channels(data->inputs, data->num_input_buses, inputs,
                                     [this](const uint32_t i) { return fPlugin.getAudioPort(true, i); });
        segue::plugin::vst3_channels(data->outputs, data->num_output_buses, outputs,
                                     [this](const uint32_t i) { return fPlugin.getAudioPort(false, i); });

        const TimePosition position(fTimePosition);
        const uint32_t frames = data->nframes > 0 ? static_cast<uint32_t>(data->nframes) : 0;
        segue::plugin::run_vst3_block(
            data->input_params, frames, fParameterCount,
            [this](const uint32_t index) {
                return (fPlugin.getParameterHints(index) & (kParameterIsInteger|kParameterIsBoolean)) != 0;
            },
            [this](const uint32_t index, const double value) { _setNormalizedPluginParameterValue(index, value); },
            [this, &position, &inputs, &outputs](const uint32_t from, const uint32_t count) {
                segue::plugin::run_slice<DISTRHO_PLUGIN_NUM_INPUTS, DISTRHO_PLUGIN_NUM_OUTPUTS>(
                    fPlugin, position, 0, inputs, outputs, from, count);
            });

        updateParametersFromProcessing(data->output_params, frames != 0 ? data->nframes - 1 : 0);
        return V3_OK;
    }
]=])

# 2846: an assertion that prints, on the audio thread, where a host has no list for what the plug-in changes.
segue_patch(${vst3} [=[
        DISTRHO_SAFE_ASSERT_RETURN(outparamsptr != nullptr,);

        float curValue;
]=] [=[
        if (outparamsptr == nullptr)
            return;

        float curValue;
]=])

# 2067: with one object for both halves, a parameter that a host sets while nothing is processed is lost. While blocks
# come, they bring it; this call may then be late and would set an older value.
segue_patch(${vst3} [=[
        _setNormalizedPluginParameterValue(index, normalized);
       #endif

        return V3_OK;
    }

    v3_result setComponentHandler(v3_component_handler** const handler) noexcept
]=] [=[
        _setNormalizedPluginParameterValue(index, normalized);
       #else
        if (! fPlugin.isActive() && rindex < fParameterCount)
            _setNormalizedPluginParameterValue(rindex, normalized);
       #endif

        return V3_OK;
    }

    v3_result setComponentHandler(v3_component_handler** const handler) noexcept
]=])

# 3944: hosts leave out what is not asked for.
segue_patch(${vst3} [=[
            | V3_PROCESS_CTX_NEED_PROJECT_TIME     // V3_PROCESS_CTX_PROJECT_TIME_VALID
]=] [=[
            | V3_PROCESS_CTX_NEED_PROJECT_TIME     // V3_PROCESS_CTX_PROJECT_TIME_VALID
            | V3_PROCESS_CTX_NEED_CYCLE            // V3_PROCESS_CTX_CYCLE_VALID
]=])

# 2831: of a bus that is switched off, only the first port is.
segue_patch(${vst3} [=[
                if (port.busId == busId)
                {
                    enabledPorts[i] = false;
                    break;
                }
]=] [=[
                if (port.busId == busId)
                    enabledPorts[i] = false;
]=])

# 940-1246, state: as in CLAP.
segue_patch_range(${vst3} [=[
    v3_result setState(v3_bstream** const stream)
    {
]=] [=[
            res = v3_cpp_obj(stream)->write(stream, const_cast<char*>(buffer), size - wrtntotal, &wrtn);

            DISTRHO_SAFE_ASSERT_INT_RETURN(res == V3_OK, res, res);
            DISTRHO_SAFE_ASSERT_INT_RETURN(wrtn > 0, wrtn, V3_INTERNAL_ERR);
        }

        return V3_OK;
    }
]=] [=[
    v3_result setState(v3_bstream** const stream)
    {
        if (! segue::plugin::load_state(fPlugin.getInstancePointer(), [stream](char* data, const size_t size) -> int64_t {
                int32_t got = 0;
                const v3_result res = v3_cpp_obj(stream)->read(stream, data, static_cast<int32_t>(size), &got);
                return res == V3_OK ? got : got > 0 ? -1 : 0; // at the end, hosts answer either way
            }))
            return V3_FALSE;

        for (uint32_t i=0; i < fParameterCount; ++i)
        {
            fCachedParameterValues[kVst3InternalParameterBaseCount + i] = fPlugin.getParameterValue(i);
           #if DISTRHO_PLUGIN_HAS_UI
            fParameterValueChangesForUI[kVst3InternalParameterBaseCount + i] = true;
           #endif
        }

        if (fComponentHandler != nullptr)
            v3_cpp_obj(fComponentHandler)->restart_component(fComponentHandler, V3_RESTART_PARAM_VALUES_CHANGED);

        return V3_OK;
    }

    v3_result getState(v3_bstream** const stream)
    {
        return segue::plugin::save_state(fPlugin.getInstancePointer(), [stream](const char* data, const size_t size) {
            int32_t taken = 0;
            const v3_result res = v3_cpp_obj(stream)->write(stream, const_cast<char*>(data), static_cast<int32_t>(size),
                                                            &taken);
            return static_cast<int64_t>(res == V3_OK ? taken : -1);
        }) ? V3_OK : V3_FALSE;
    }
]=])
segue_patch(${vst3} [=[
            fStateMap[dkey] = fPlugin.getStateDefaultValue(i);
]=] [=[
            (void)dkey;
]=])
