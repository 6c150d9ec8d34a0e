-- A stand-in for the part of REAPER's API that examples/editors/reaper uses: a project of one or more tracks with items,
-- undo, audio accessors and deferred functions. It is no REAPER. It keeps what the script does, plays the items' audio
-- from their WAV files, and runs what the script runs; at the end it prints the project.
-- Arguments: the script, the project (a Lua file that returns a table), names of API functions that are to fail.

local script, project = arg[1], dofile(arg[2])
local failing = {}
for each = 3, #arg do
  failing[arg[each]] = true
end

local undo, open_blocks, messages, deferred, at_exit, accessors = {}, 0, {}, {}, nil, 0
local time_limit = os.time() + 120

local function snapshot(track)
  local copy = {}
  for index, item in ipairs(track.items) do
    copy[index] = item
  end
  return copy
end

-- Interleaved float samples of a WAV file as Python's soundfile writes it, and its channels.
local function samples_of(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("a")
  file:close()
  local position, channels = 13, nil
  while true do
    local id, size = string.unpack("<c4I4", bytes, position)
    if id == "fmt " then
      channels = string.unpack("<I2", bytes, position + 10)
    elseif id == "data" then
      return bytes, position + 8, channels, size // (4 * channels)
    end
    position = position + 8 + size + size % 2
  end
end

local wavs = {}
local function frame_of(path, frame, channel)
  wavs[path] = wavs[path] or { samples_of(path) }
  local bytes, start, channels, frames = table.unpack(wavs[path])
  if frame < 0 or frame >= frames then
    return 0
  end
  return (string.unpack("<f", bytes, start + 4 * (frame * channels + channel % channels)))
end

reaper = {}
local api = {}

function api.MB(text) messages[#messages + 1] = text; return 1 end
function api.get_action_context() return false, script, 0, 0, 0, 0, 0 end
function api.GetSetProjectInfo(_, name) return ({ PROJECT_SRATE = project.rate, PROJECT_SRATE_USE = 1 })[name] end
function api.GetSet_LoopTimeRange() return project.selection[1], project.selection[2] end
function api.CountSelectedTracks() return #project.selected end
function api.GetSelectedTrack(_, index) return project.tracks[project.selected[index + 1]] end
function api.CountTrackMediaItems(track) return #track.items end
function api.GetTrackMediaItem(track, index) return track.items[index + 1] end
function api.GetMediaItemInfo_Value(item, name) return item[name] end
function api.GetProjectPath() return project.folder end
function api.file_exists(path) local file = io.open(path); if file then file:close() end; return file ~= nil end
function api.ValidatePtr2(_, pointer) return pointer ~= nil end
function api.Help_Set() end
function api.PreventUIRefresh() end
function api.UpdateArrange() end
function api.atexit(what) at_exit = what end
function api.defer(what) deferred[#deferred + 1] = what end

function api.CreateTrackAudioAccessor(track) accessors = accessors + 1; return track end
function api.DestroyAudioAccessor() accessors = accessors - 1 end
function api.GetAudioAccessorStartTime() return 0 end
function api.GetAudioAccessorEndTime(track)
  local stop = 0
  for _, item in ipairs(track.items) do
    stop = math.max(stop, item.D_POSITION + item.D_LENGTH)
  end
  return stop
end
function api.GetAudioAccessorSamples(track, rate, channels, start, count, buffer)
  local first = math.floor(start * rate + 0.5)
  for _, item in ipairs(track.items) do
    local from = math.floor(item.D_POSITION * rate + 0.5)
    local till = from + math.floor(item.D_LENGTH * rate + 0.5)
    for at = math.max(first, from), math.min(first + count, till) - 1 do
      for channel = 0, channels - 1 do
        local offset = math.floor(item.take.D_STARTOFFS * rate + 0.5)
        buffer[(at - first) * channels + channel + 1] = frame_of(item.take.source, at - from + offset, channel)
      end
    end
  end
  return 1
end
function api.new_array(size)
  local array = {}
  local function clear()
    for each = 1, size do
      array[each] = 0
    end
  end
  clear()
  return setmetatable({ clear = clear, table = function() return array end }, { __newindex = array, __index = array })
end

function api.Undo_BeginBlock2()
  open_blocks = open_blocks + 1
  project.before = {}
  for index, track in ipairs(project.tracks) do
    project.before[index] = snapshot(track)
  end
end
function api.Undo_EndBlock2(_, name)
  open_blocks = open_blocks - 1
  local changed = false
  for index, track in ipairs(project.tracks) do
    changed = changed or #track.items ~= #project.before[index]
  end
  if changed then -- as REAPER does: a block in which nothing happened makes no step
    undo[#undo + 1] = name
  end
end
local function inside_a_block()
  assert(open_blocks == 1, "the project was changed outside of an undo block")
end
function api.AddMediaItemToTrack(track)
  inside_a_block()
  local item = { D_POSITION = 0, D_LENGTH = 0, D_FADEINLEN = 0.01, D_FADEOUTLEN = 0.01, B_LOOPSRC = 1 }
  track.items[#track.items + 1] = item
  return item
end
function api.DeleteTrackMediaItem(track, item)
  inside_a_block()
  for index, each in ipairs(track.items) do
    if each == item then
      table.remove(track.items, index)
      return true
    end
  end
  return false
end
function api.AddTakeToMediaItem(item) inside_a_block(); item.take = { D_STARTOFFS = 0 }; return item.take end
function api.PCM_Source_CreateFromFile(path) return path end
function api.SetMediaItemTake_Source(take, source) inside_a_block(); take.source = source; return true end
function api.SetMediaItemTakeInfo_Value(take, name, value) inside_a_block(); take[name] = value; return true end
function api.GetSetMediaItemTakeInfo_String(take, name, value) inside_a_block(); take[name] = value; return true, value end
function api.SetMediaItemInfo_Value(item, name, value) inside_a_block(); item[name] = value; return true end

setmetatable(reaper, {
  __index = function(_, name)
    assert(api[name], "the stand-in has no reaper." .. name)
    return failing[name] and function() return nil end or api[name]
  end,
})

dofile(script)
while #deferred > 0 do
  assert(os.time() < time_limit, "the script still waits after two minutes")
  table.remove(deferred, 1)()
end
if at_exit then
  at_exit()
end

local function json(value)
  if type(value) == "table" then
    local parts = {}
    if #value > 0 or next(value) == nil then
      for _, each in ipairs(value) do
        parts[#parts + 1] = json(each)
      end
      return "[" .. table.concat(parts, ",") .. "]"
    end
    for name, each in pairs(value) do
      parts[#parts + 1] = json(tostring(name)) .. ":" .. json(each)
    end
    return "{" .. table.concat(parts, ",") .. "}"
  elseif type(value) == "string" then
    return '"' .. value:gsub('[%c"\\]', function(c) return string.format("\\u%04x", c:byte()) end) .. '"'
  elseif math.type(value) == "float" then
    return string.format("%.17g", value)
  end
  return tostring(value)
end

local tracks = {}
for index, track in ipairs(project.tracks) do
  tracks[index] = track.items
end
print(json({ tracks = tracks, undo = undo, messages = messages, open_blocks = open_blocks, accessors = accessors }))
