# DPF's TimePosition has no place for: no position at all, a negative one (pre-roll), the host's loop, a bounce. So the
# core's own Transport travels in it, and each wrapper fills it from what its host says.
segue_patch(distrho/DistrhoPlugin.hpp [=[
struct TimePosition {
   /**
      Wherever the host transport is playing/rolling.
    */
    bool playing;
]=] [=[
struct TimePosition {
    segue::plugin::Transport transport;

   /**
      Wherever the host transport is playing/rolling.
    */
    bool playing;
]=])
segue_patch(distrho/DistrhoPlugin.hpp [=[
#include "extra/LeakDetector.hpp"
]=] [=[
#include "extra/LeakDetector.hpp"
#include "core/transport.hpp"
]=])
