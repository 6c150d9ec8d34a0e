-- Makes an Ardour session with Segue on a stereo track, its Gap and Render lanes drawn; make_session.py adds the clips.
-- Arguments: folder, name, sample rate, first and last sample of the gap.
local folder, name = arg[1], arg[2]
local rate, gap_start, gap_stop = tonumber(arg[3]), tonumber(arg[4]), tonumber(arg[5])

local backend = AudioEngine:set_backend("None (Dummy)", "", "")
backend:set_sample_rate(rate)
local session = create_session(folder, name, rate)
assert(session, "Ardour does not make a session in " .. folder)

local track
for each in session:new_audio_track(2, 2, nil, 1, "Song", ARDOUR.PresentationInfo.max_order,
                                    ARDOUR.TrackMode.Normal, true):iter() do track = each end

-- the VST3 id: DPF's own words, then Segue's
local plugin = ARDOUR.LuaAPI.new_plugin(session, "2046504473616C636575675300000000", ARDOUR.PluginType.VST3, "")
assert(not plugin:isnil(), "Ardour does not know Segue: run make install-plugin")
track:add_processor_by_index(plugin, 0, nil, true)

-- The number of a parameter by its name: the numbers are not the same in every format.
local function parameter_of(wanted)
  local inside = plugin:to_insert():plugin(0)
  local input = 0
  for number = 0, inside:parameter_count() - 1 do
    if inside:parameter_is_control(number) and inside:parameter_is_input(number) then
      if inside:parameter_label(number) == wanted then return input, number end
      input = input + 1
    end
  end
  error("Segue has no parameter " .. wanted)
end

local function draw(wanted, points)
  local input, number = parameter_of(wanted)
  local list = ARDOUR.LuaAPI.plugin_automation(plugin, input)
  for _, point in ipairs(points) do list:add(Temporal.timepos_t(point[1]), point[2], false, true) end
  local lane = Evoral.Parameter(ARDOUR.AutomationType.PluginAutomation, 0, number)
  plugin:to_automatable():automation_control(lane, false):set_automation_state(ARDOUR.AutoState.Play)
end

draw("Gap", {{0, 0}, {gap_start - 1, 0}, {gap_start, 1}, {gap_stop - 1, 1}, {gap_stop, 0}})
draw("Render", {{0, 0}, {rate - 1, 0}, {rate, 1}})

session:save_state("", false, false, false, false, false)
close_session()
quit()
