// What DPF asks of a plug-in at compile time. The ids stay the same for ever: sessions refer to them.
#pragma once

#define DISTRHO_PLUGIN_BRAND "Segue"
#define DISTRHO_PLUGIN_NAME "Segue"
#define DISTRHO_PLUGIN_URI "urn:segue:segue"
#define DISTRHO_PLUGIN_CLAP_ID "segue.segue"

#define DISTRHO_PLUGIN_NUM_INPUTS 4  // the track, then the side-chain
#define DISTRHO_PLUGIN_NUM_OUTPUTS 2
#define DISTRHO_PLUGIN_IS_RT_SAFE 1
#define DISTRHO_PLUGIN_WANT_TIMEPOS 1
#define DISTRHO_PLUGIN_WANT_STATE 1
#define DISTRHO_PLUGIN_WANT_FULL_STATE 1
// With or without a UI: otherwise VST3 gets a second instance as its controller, and parameters of other numbers.
#define DISTRHO_PLUGIN_WANT_DIRECT_ACCESS 1

#define DISTRHO_PLUGIN_HAS_UI SEGUE_PLUGIN_HAS_UI
#define DISTRHO_UI_USE_NANOVG 1
#define DISTRHO_UI_USER_RESIZABLE 1
#define DISTRHO_UI_DEFAULT_WIDTH 960
#define DISTRHO_UI_DEFAULT_HEIGHT 640

#define DISTRHO_PLUGIN_LV2_CATEGORY "lv2:UtilityPlugin"
#define DISTRHO_PLUGIN_VST3_CATEGORIES "Fx|Restoration|Stereo"
#define DISTRHO_PLUGIN_CLAP_FEATURES "audio-effect", "restoration", "stereo"
