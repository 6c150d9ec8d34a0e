-- Loads a session, exports it as float WAV once for each name, and saves it.
-- Arguments: folder, name, folder for the files, id of the export preset, names.
AudioEngine:set_backend("None (Dummy)", "", "")
local session = load_session(arg[1], arg[2])
assert(session, "Ardour does not load " .. arg[1])
for each = 5, #arg do
  local export = session:simple_export()
  export:set_name(arg[each])
  export:set_folder(arg[3])
  export:set_range(session:current_start_sample(), session:current_end_sample())
  assert(export:set_preset(arg[4]), "no preset " .. arg[4])
  assert(export:check_outputs(), "nothing is connected to the master bus")
  assert(export:run_export(), "the export failed")
end
session:save_state("", false, false, false, false, false)
close_session()
quit()
