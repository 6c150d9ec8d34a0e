-- Segue: Fill Gap. Fills the time selection on the selected track with music that fits what stands around it: a new
-- item in the gap, one step of undo. Needs Segue's command line (segue), and segue_fill.lua beside this script or above it.
-- To stop: run the action again and let REAPER terminate it.

local TITLE = "Segue: Fill Gap"

local function say(text)
  reaper.MB(text, TITLE, 0)
end

local function load_bridge()
  local own = select(2, reaper.get_action_context())
  local folder = own:match("^(.*)[/\\]") or "."
  for _, path in ipairs({ folder .. "/segue_fill.lua", folder .. "/../segue_fill.lua" }) do
    local file = io.open(path, "r")
    if file then
      file:close()
      return dofile(path)
    end
  end
  return nil, "segue_fill.lua belongs beside segue_fill_gap.lua, in " .. folder
end

-- The project's rate, or the audio device's where the project follows that.
local function rate_of_project()
  if reaper.GetSetProjectInfo(0, "PROJECT_SRATE_USE", 0, false) ~= 0 then
    return math.floor(reaper.GetSetProjectInfo(0, "PROJECT_SRATE", 0, false))
  end
  local known, text = reaper.GetAudioDeviceInfo("SRATE", "")
  local rate = known and tonumber(text)
  if not rate then
    return nil, "The sample rate is unknown: set one in the project's settings, or open the audio device."
  end
  return math.floor(rate)
end

-- The time selection in samples, and the one selected track, which must be silent there.
local function selected(rate)
  local start, stop = reaper.GetSet_LoopTimeRange(false, false, 0, 0, false)
  if start >= stop then
    return nil, "Select the gap as time first."
  elseif reaper.CountSelectedTracks(0) ~= 1 then
    return nil, "Select one track; " .. reaper.CountSelectedTracks(0) .. " are selected."
  end
  local gap = { track = reaper.GetSelectedTrack(0, 0) }
  gap.first, gap.last = math.floor(start * rate + 0.5), math.floor(stop * rate + 0.5)
  for index = 0, reaper.CountTrackMediaItems(gap.track) - 1 do
    local item = reaper.GetTrackMediaItem(gap.track, index)
    local from = reaper.GetMediaItemInfo_Value(item, "D_POSITION") * rate
    local till = from + reaper.GetMediaItemInfo_Value(item, "D_LENGTH") * rate
    if from < gap.last - 0.5 and till > gap.first + 0.5 then
      return nil, "There is an item in the time selection: REAPER would play it together with the new one. "
        .. "Split it at the edges and delete what is to be replaced."
    end
  end
  return gap
end

-- Write what the track plays around the gap, before its effects; where that begins, in samples.
local function write_surroundings(bridge, gap, rate, path)
  local accessor = reaper.CreateTrackAudioAccessor(gap.track)
  local from = math.floor(reaper.GetAudioAccessorStartTime(accessor) * rate + 0.5)
  local till = math.floor(reaper.GetAudioAccessorEndTime(accessor) * rate + 0.5)
  if till <= from then
    reaper.DestroyAudioAccessor(accessor)
    return nil, "There is no audio on the track: Segue fills a gap from what stands around it."
  end
  from = math.max(math.min(from, gap.first), gap.first - bridge.reach * rate, 0)
  till = math.min(math.max(till, gap.last), gap.last + bridge.reach * rate)
  local size, at, failed = 8192, from, nil
  local done, why = bridge.write_wav(path, rate, 2, till - from, function()
    local count = math.min(size, till - at)
    if count <= 0 or failed then
      return nil
    end
    local buffer = reaper.new_array(2 * count)
    buffer.clear()
    if reaper.GetAudioAccessorSamples(accessor, rate, 2, at / rate, count, buffer) < 0 then
      failed = "REAPER cannot read the track's audio: are all its files online?"
      return nil
    end
    at = at + count
    return buffer.table()
  end)
  reaper.DestroyAudioAccessor(accessor)
  if failed or not done then
    return nil, failed or why
  end
  return from
end

-- A name in the project's folder that no file has.
local function free_name()
  local folder, number = reaper.GetProjectPath(), 1
  while true do
    local path = string.format("%s/Segue fill %d.wav", folder, number)
    if not reaper.file_exists(path) then
      return path
    end
    number = number + 1
  end
end

-- The file's stretch as an item in the gap. Nothing is left of it where a part of that fails.
local function place(gap, rate, path, offset)
  if not reaper.ValidatePtr2(0, gap.track, "MediaTrack*") then
    return nil, "The track was deleted while Segue rendered."
  end
  local source = reaper.PCM_Source_CreateFromFile(path)
  if not source then
    return nil, "REAPER cannot open " .. path
  end
  reaper.Undo_BeginBlock2(0)
  reaper.PreventUIRefresh(1)
  local item = reaper.AddMediaItemToTrack(gap.track)
  local take = item and reaper.AddTakeToMediaItem(item)
  local done = take and reaper.SetMediaItemTake_Source(take, source)
  if done then
    reaper.SetMediaItemTakeInfo_Value(take, "D_STARTOFFS", offset / rate)
    reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", "Segue fill", true)
    reaper.SetMediaItemInfo_Value(item, "B_LOOPSRC", 0)
    reaper.SetMediaItemInfo_Value(item, "D_POSITION", gap.first / rate)
    reaper.SetMediaItemInfo_Value(item, "D_LENGTH", (gap.last - gap.first) / rate)
    for _, fade in ipairs({ "D_FADEINLEN", "D_FADEOUTLEN" }) do -- Segue's edges fit as they are
      reaper.SetMediaItemInfo_Value(item, fade, 0)
      reaper.SetMediaItemInfo_Value(item, fade .. "_AUTO", -1)
    end
  elseif item then
    reaper.DeleteTrackMediaItem(gap.track, item)
  end
  reaper.PreventUIRefresh(-1)
  reaper.Undo_EndBlock2(0, TITLE, -1)
  reaper.UpdateArrange()
  return done or nil, not done and "REAPER did not make the item." or nil
end

local function run()
  local bridge, why = load_bridge()
  why = why or bridge.obstacle()
  local rate, gap, folder, job, from
  if not why then rate, why = rate_of_project() end
  if not why then gap, why = selected(rate) end
  if not why then folder, why = bridge.new_folder() end
  if why then
    return say(why)
  end
  local output = free_name()
  from, why = write_surroundings(bridge, gap, rate, folder .. "/track.wav")
  if not why then
    local line = bridge.command(folder .. "/track.wav", output, gap.first - from, gap.last - from, rate)
    job, why = bridge.start(line, folder)
  end
  local function finish(trouble)
    job = nil
    bridge.remove_folder(folder)
    reaper.Help_Set("", false)
    if trouble then
      os.remove(output)
      say(trouble)
    end
  end
  if why then
    return finish(why)
  end
  reaper.atexit(function() -- terminated by the user
    if job then
      bridge.stop(job)
      finish(nil)
      os.remove(output)
    end
  end)
  local function look()
    local state, words = bridge.poll(job)
    if state == "running" then
      reaper.Help_Set("Segue: " .. words, false)
      return reaper.defer(look)
    elseif state == "failed" then
      return finish(words)
    end
    local placed, trouble = place(gap, rate, output, gap.first - from)
    finish(not placed and trouble or nil)
  end
  look()
end

run()
