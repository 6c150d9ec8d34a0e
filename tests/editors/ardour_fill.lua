-- Runs the action in a real session of Ardour without windows. What belongs to the windows is stood in for: the
-- selection, the dialogs, and the import, which copies the file aside and puts a region that the session has in the gap.
-- Arguments: folder, name, the action's script, first and last sample of the selection, folder for what was imported.
AudioEngine:set_backend("None (Dummy)", "", "")
Session = load_session(arg[1], arg[2])
assert(Session, "Ardour does not load " .. arg[1])
local first, last, notes = tonumber(arg[4]), tonumber(arg[5]), io.open(arg[6] .. "/notes", "w")

Editing = { ImportDistinctFiles = "distinct files", ImportToTrack = "to track" }
Editor = {}

function Editor:get_selection()
  local time, tracks = {}, {}
  function time:start_sample() return first end
  function time:end_sample() return last end
  function tracks:routelist() return Session:get_tracks() end
  return { time = time, tracks = tracks }
end

function Editor:do_import(files, disposition, mode, _, _, _, position, _, track, with_markers)
  local path = files:table()[1]
  notes:write(string.format("import %s, %s, at %d on %s\n", disposition, mode, position:samples(), track:name()))
  assert(with_markers == false)
  local source, copy = io.open(path, "rb"), io.open(arg[6] .. "/imported.wav", "wb")
  copy:write(source:read("a"))
  source:close()
  copy:close()
  local some = track:playlist():region_list():table()[1]
  local region = ARDOUR.RegionFactory.clone_region(some, true, false)
  region:set_length(Temporal.timecnt_t(last - first))
  region:to_audioregion():set_fade_in_active(true)
  track:playlist():add_region(region, position, 1, false)
end

LuaDialog = { MessageType = {}, ButtonType = {} }
function LuaDialog.Message(_, text)
  notes:write("message " .. text .. "\n")
  return { run = function() end }
end
function LuaDialog.ProgressWindow()
  local window = {}
  function window:canceled() return false end
  function window:progress() end
  function window:done() notes:write("window closed\n") end
  return window
end

function ardour() end
dofile(arg[3])
-- as Ardour does: only the code of factory is kept, none of what stands around it
load(string.dump(factory))()()
notes:close()
Session:save_state("", false, false, false, false, false)
close_session()
quit()
