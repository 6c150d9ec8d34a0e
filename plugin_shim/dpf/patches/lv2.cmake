# LV2. Line numbers are those of DPF 1.6's DistrhoPluginLV2.cpp and DistrhoPluginLV2export.cpp.
set(lv2 distrho/src/DistrhoPluginLV2.cpp)
set(lv2_export distrho/src/DistrhoPluginLV2export.cpp)

# 620: whether the host said anything of its transport is not passed on. A loop range does not exist in LV2.
segue_patch(${lv2} [=[
        // Run plugin
        if (sampleCount != 0)
        {
]=] [=[
        fTimePosition.transport.valid = fLastPositionData.frame >= 0;
        fTimePosition.transport.playing = fLastPositionData.speed > 0.0;
        fTimePosition.transport.frame = fLastPositionData.frame;
        fTimePosition.transport.tempo = fLastPositionData.beatsPerMinute;
        fTimePosition.transport.offline = fPortFreewheel != nullptr && *fPortFreewheel > 0.5f;
        fPlugin.setTimePosition(fTimePosition);

        // Run plugin
        if (sampleCount != 0)
        {
]=])

# Missing: the port by which hosts announce a bounce. It comes last, so that the others keep their numbers.
segue_patch(${lv2} [=[
                fPortControls[i] = (float*)dataLocation;
                return;
            }
        }
    }
]=] [=[
                fPortControls[i] = (float*)dataLocation;
                return;
            }
        }

        if (port == index)
            fPortFreewheel = (const float*)dataLocation;
    }
]=])
segue_patch(${lv2} [=[
    float** fPortControls;
   #if DISTRHO_LV2_USE_EVENTS_IN
]=] [=[
    float** fPortControls;
    const float* fPortFreewheel = nullptr;
   #if DISTRHO_LV2_USE_EVENTS_IN
]=])
segue_patch(${lv2_export} [=[
                if (i+1 == count)
                    pluginString += "    ] ;\n\n";
                else
                    pluginString += "    ] ,\n";
            }
        }
]=] [=[
                if (i+1 == count)
                    pluginString += "    ] ;\n\n";
                else
                    pluginString += "    ] ,\n";
            }

            pluginString += "    lv2:port [\n";
            pluginString += "        a lv2:InputPort, lv2:ControlPort ;\n";
            pluginString += "        lv2:index " + String(portIndex) + " ;\n";
            pluginString += "        lv2:name \"Freewheel\" ;\n";
            pluginString += "        lv2:symbol \"lv2_freewheel\" ;\n";
            pluginString += "        lv2:default 0.0 ;\n";
            pluginString += "        lv2:minimum 0.0 ;\n";
            pluginString += "        lv2:maximum 1.0 ;\n";
            pluginString += "        lv2:designation lv2:freeWheeling ;\n";
            pluginString += "        lv2:portProperty lv2:toggled, <" LV2_PORT_PROPS__notOnGUI "> ;\n";
            pluginString += "    ] ;\n\n";
        }
]=])

# 535: hosts need not connect the side-chain.
segue_patch(${lv2_export} [=[
                if ((port.hints & (kAudioPortIsCV|kCVPortIsOptional)) == (kAudioPortIsCV|kCVPortIsOptional))
]=] [=[
                if ((port.hints & (kAudioPortIsCV|kCVPortIsOptional)) == (kAudioPortIsCV|kCVPortIsOptional) ||
                    (port.hints & kAudioPortIsSidechain) != 0x0)
]=])

# 1022: ports are compared with what they were before the state came, so that one which differs from the state is not
# seen as changed.
segue_patch(${lv2} [=[
            setState(key, value);

           #if DISTRHO_PLUGIN_WANT_STATE
            // signal msg needed for UI
]=] [=[
            setState(key, value);

            for (uint32_t j=0, parameters=fPlugin.getParameterCount(); j < parameters; ++j)
                fLastControlValues[j] = fPlugin.getParameterValue(j);

           #if DISTRHO_PLUGIN_WANT_STATE
            // signal msg needed for UI
]=])
