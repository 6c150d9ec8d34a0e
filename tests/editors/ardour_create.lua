-- Makes a session with one stereo track, Song. Arguments: folder, name, rate.
AudioEngine:set_backend("None (Dummy)", "", "")
local session = create_session(arg[1], arg[2], tonumber(arg[3]))
assert(session, "Ardour does not make " .. arg[1])
local last = ARDOUR.PresentationInfo.max_order
session:new_audio_track(2, 2, nil, 1, "Song", last, ARDOUR.TrackMode.Normal, true)
session:save_state("", false, false, false, false, false)
close_session()
quit()
