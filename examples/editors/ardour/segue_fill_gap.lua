ardour {
  ["type"] = "EditorAction",
  name = "Segue: Fill Gap",
  license = "MIT",
  author = "Segue",
  description = [[
Fills the selected range of the selected track with music that fits what stands around it: a new region at its place,
above what is there. Nothing else is changed, and Edit > Undo takes it away again.

Needs Segue's command line (segue) and segue_fill.lua beside this script.]]
}

-- Ardour keeps the function that factory returns and nothing else of this file.
function factory() return function()
  local bridge

  local function say(text)
    if text then
      LuaDialog.Message("Segue: Fill Gap", text, LuaDialog.MessageType.Error, LuaDialog.ButtonType.Close):run()
    end
  end

  -- segue_fill.lua beside this script, in Ardour's folder for the user's scripts; or its path in SEGUE_EDITORS.
  local function load_bridge()
    if not (dofile and io and os and os.getenv) then
      return nil, "This script must read and write files: allow it in the preferences of scripts (no sandbox)."
    end
    local folder = os.getenv("SEGUE_EDITORS") or ARDOUR.user_config_directory(-1) .. "/scripts"
    local read, found = pcall(dofile, folder .. "/segue_fill.lua")
    if not read then
      return nil, "segue_fill.lua belongs beside segue_fill_gap.lua, in " .. folder .. ":\n" .. tostring(found)
    end
    return found, found.obstacle()
  end

  -- The selected range and the one selected audio track.
  local function selected()
    local selection, tracks = Editor:get_selection(), {}
    for route in selection.tracks:routelist():iter() do
      if not route:to_track():isnil() and not route:to_track():to_audio_track():isnil() then
        tracks[#tracks + 1] = route
      end
    end
    local first, last = selection.time:start_sample(), selection.time:end_sample()
    if first >= last then
      return nil, "Select the gap as a range first."
    elseif #tracks ~= 1 then
      return nil, "Select one audio track; " .. #tracks .. " are selected."
    end
    return { first = first, last = last, route = tracks[1], track = tracks[1]:to_track() }
  end

  -- How far the track's own sound goes around the gap, and its channels.
  local function surroundings(gap, rate)
    local from, till, channels = nil, nil, 1
    for region in gap.track:playlist():region_list():iter() do
      local audio = region:to_audioregion()
      if not audio:isnil() then
        local start = region:position():samples()
        local stop = start + region:length():samples()
        from, till = math.min(from or start, start), math.max(till or stop, stop)
        channels = math.max(channels, audio:n_channels())
      end
    end
    if not from then
      return nil, "There is no audio on " .. gap.route:name() .. ": Segue fills a gap from what stands around it."
    elseif channels > 2 then
      return nil, gap.route:name() .. " has " .. channels .. " channels: Segue fills mono and stereo."
    end
    local reach = bridge.reach * rate
    from = math.max(math.min(from, gap.first), gap.first - reach, 0)
    till = math.min(math.max(till, gap.last), gap.last + reach)
    return { from = from, till = till, channels = channels }
  end

  -- What the track plays there before its effects, in blocks of interleaved samples.
  local function blocks(gap, around)
    local size = 8192
    local audio = gap.track:playlist():to_audioplaylist()
    local memory, mixing, gain = ARDOUR.DSP.DspShm(size), ARDOUR.DSP.DspShm(size), ARDOUR.DSP.DspShm(size)
    local at = around.from
    return function()
      local count = math.min(size, around.till - at)
      if count <= 0 then
        return nil
      end
      local block = {}
      for channel = 0, around.channels - 1 do
        local where, length = Temporal.timepos_t(at), Temporal.timecnt_t(count)
        audio:read(memory:to_float(0), mixing:to_float(0), gain:to_float(0), where, length, channel)
        local samples = memory:to_float(0):get_table(count)
        for each = 1, count do
          block[(each - 1) * around.channels + channel + 1] = samples[each]
        end
      end
      at = at + count
      return block
    end
  end

  -- Wait for Segue behind a window with its progress and a button to stop.
  local function wait_for(job)
    local window = LuaDialog.ProgressWindow("Segue: Fill Gap", true)
    local state, words = bridge.poll(job)
    while state == "running" do
      if window:canceled() then
        bridge.stop(job)
        window:done()
        return nil, nil -- the user's own wish needs no message
      end
      window:progress(-1, words ~= "" and words or "starting")
      ARDOUR.LuaAPI.usleep(100000)
      state, words = bridge.poll(job)
    end
    window:done()
    return state == "done" or nil, words
  end

  local function regions_at(gap)
    local found = {}
    for region in gap.track:playlist():regions_at(Temporal.timepos_t(gap.first)):iter() do
      found[#found + 1] = region
    end
    return found
  end

  -- The file as a region at the gap; Ardour's own import makes the step for undo.
  local function place(file, gap)
    local files, before = C.StringVector(), {}
    files:push_back(file)
    for _, region in ipairs(regions_at(gap)) do
      before[region:to_stateful():id():to_s()] = true
    end
    Editor:do_import(
      files, Editing.ImportDistinctFiles, Editing.ImportToTrack, ARDOUR.SrcQuality.SrcBest,
      ARDOUR.MidiTrackNameSource.SMFTrackName, ARDOUR.MidiTempoMapDisposition.SMFTempoIgnore,
      Temporal.timepos_t(gap.first), ARDOUR.PluginInfo(), gap.track, false
    )
    for _, region in ipairs(regions_at(gap)) do
      if not before[region:to_stateful():id():to_s()] then
        local audio = region:to_audioregion() -- Segue's edges fit as they are: no fades over them
        audio:set_fade_in_active(false)
        audio:set_fade_out_active(false)
        return true
      end
    end
    return nil, "Ardour did not import " .. file .. ": see its log window."
  end

  local function fill(gap, folder)
    local rate = Session:nominal_sample_rate()
    local around, why = surroundings(gap, rate)
    if not around then
      return nil, why
    end
    local input, output, clip = folder .. "/track.wav", folder .. "/filled.wav", folder .. "/Segue fill.wav"
    local done, job
    done, why = bridge.write_wav(input, rate, around.channels, around.till - around.from, blocks(gap, around))
    if not done then
      return nil, why
    end
    local first, last = gap.first - around.from, gap.last - around.from
    job, why = bridge.start(bridge.command(input, output, first, last, rate), folder)
    if not job then
      return nil, why
    end
    done, why = wait_for(job)
    if not done then
      return nil, why
    end
    done, why = bridge.cut_wav(output, first, last, clip)
    if not done then
      return nil, why
    end
    return place(clip, gap)
  end

  local found, why = load_bridge()
  bridge = found
  if not found or why then
    return say(why)
  end
  local gap, none = selected()
  if not gap then
    return say(none)
  end
  local folder, trouble = bridge.new_folder()
  if not folder then
    return say(trouble)
  end
  local fine, done, words = pcall(fill, gap, folder)
  bridge.remove_folder(folder)
  if not fine then
    return say("Unexpected: " .. tostring(done))
  elseif not done then
    return say(words)
  end
end end
