-- What Ardour's and REAPER's "Segue: Fill Gap" have in common: audio to Segue as a WAV file, Segue's command line, its
-- result back. Lua 5.3 and later; knows no editor. Every function that can fail returns nil and a message for the user.

local bridge = {}

-- Seconds of music around the gap that Segue hears at the most, on each side.
bridge.reach = 60

-- Where segue is: set this to its path where neither SEGUE nor the PATH of programs started from the desktop says so.
bridge.segue = nil

-- A word for the shell, whatever is in it.
function bridge.quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- A sample as seconds. Nine decimals name each sample of any rate exactly; made of whole numbers, since an editor under
-- a language that writes 1,5 would have Lua write it so too, which Segue does not read.
function bridge.seconds(sample, rate)
  return string.format("%d.%09d", sample // rate, (sample % rate * 1000000000 + rate // 2) // rate)
end

-- The command line of a fill. Times are samples.
function bridge.command(input, output, first, last, rate)
  local program = bridge.segue or os.getenv("SEGUE") or "segue"
  local gap = bridge.seconds(first, rate) .. ":" .. bridge.seconds(last, rate)
  local words = { bridge.quote(program), "fill", bridge.quote(input), "-o", bridge.quote(output), "--gap", gap }
  return table.concat(words, " ")
end

-- Why this system cannot run it, or nil.
function bridge.obstacle()
  if package and package.config:sub(1, 1) == "\\" then
    return "This script speaks to the shell of Linux and macOS. On Windows use Segue's plug-in, or segue bounce."
  end
  if not (io and io.open and io.popen and os.execute and os.getenv) then
    return "This script must read and write files: allow it in the preferences of scripts (no sandbox), and try again."
  end
  return nil
end

-- A new folder that only this user may enter; its path.
function bridge.new_folder()
  local pipe = io.popen("mktemp -d 2>&1", "r")
  local line = pipe and pipe:read("l")
  if not (pipe and pipe:close()) then
    return nil, "No temporary folder can be made: " .. tostring(line)
  end
  return line
end

function bridge.remove_folder(folder)
  os.execute("rm -rf " .. bridge.quote(folder))
end

-- Write (frames, channels) as float WAV: next_block() gives interleaved samples, a table at a time, and at last nil.
function bridge.write_wav(path, rate, channels, frames, next_block)
  local bytes = 4 * channels * frames
  if bytes > 0xFFFFFF00 then
    return nil, "The audio around the gap is longer than a WAV file can be."
  end
  local file, why = io.open(path, "wb")
  if not file then
    return nil, "Cannot write: " .. why
  end
  local format = string.pack("<I2I2I4I4I2I2", 3, channels, rate, 4 * channels * rate, 4 * channels, 32)
  file:write("RIFF", string.pack("<I4", 36 + bytes), "WAVEfmt ", string.pack("<I4", 16), format)
  file:write("data", string.pack("<I4", bytes))
  local written = 0
  for block in next_block do
    file:write(string.pack("<" .. string.rep("f", #block), table.unpack(block)))
    written = written + #block
  end
  local closed, trouble = file:close()
  if not closed then
    return nil, "Cannot write " .. path .. ": " .. tostring(trouble)
  end
  if written ~= channels * frames then
    return nil, string.format("Expected %d samples of the track, got %d.", channels * frames, written)
  end
  return true
end

-- Where the audio of a float WAV file lies: { start = byte, frames =, channels =, rate = }.
function bridge.inspect_wav(path)
  local file, why = io.open(path, "rb")
  if not file then
    return nil, "Segue's file cannot be read: " .. why
  end
  local found = {}
  local head = file:read(12)
  while head and not found.start do
    local chunk = file:read(8)
    if not chunk or #chunk < 8 then
      break
    end
    local id, size = string.unpack("<c4I4", chunk)
    if id == "fmt " then
      local kind, bits
      local body = file:read(size + size % 2)
      kind, found.channels, found.rate, _, _, bits = string.unpack("<I2I2I4I4I2I2", body)
      if kind == 0xFFFE then
        kind = string.unpack("<I2", body, 25)
      end
      found.float = kind == 3 and bits == 32
    elseif id == "data" then
      found.start, found.bytes = file:seek("cur"), size
    else
      file:seek("cur", size + size % 2)
    end
  end
  file:close()
  if not (found.start and found.float) then
    return nil, "Segue's file " .. path .. " is no float WAV: expected what segue fill writes."
  end
  found.frames = found.bytes // (4 * found.channels)
  return found
end

-- Copy the frames [first, last) of a float WAV file into a new one.
function bridge.cut_wav(path, first, last, target)
  local source, why = bridge.inspect_wav(path)
  if not source then
    return nil, why
  end
  if last > source.frames then
    return nil, string.format("Expected %d frames in Segue's file, got %d.", last, source.frames)
  end
  local file = io.open(path, "rb")
  local left, width = (last - first) * source.channels, 4 * source.channels
  file:seek("set", source.start + first * width)
  local done, trouble = bridge.write_wav(target, source.rate, source.channels, last - first, function()
    if left == 0 then
      return nil
    end
    local count = math.min(left, 4096)
    left = left - count
    local block = { string.unpack("<" .. string.rep("f", count), file:read(4 * count)) }
    block[#block] = nil -- the position behind
    return block
  end)
  file:close()
  return done, trouble
end

-- What a program wrote, without its last line break.
local function content(path)
  local file = io.open(path, "r")
  local text = file and file:read("a") or ""
  if file then
    file:close()
  end
  return (text:gsub("%s+$", ""))
end

-- Start a command line in the background; what is needed to look after it. Its words and its end are kept in folder.
-- Without LD_LIBRARY_PATH: the editor's own libraries are not for Segue's Python.
function bridge.start(command, folder)
  local job = { log = folder .. "/log", pid = folder .. "/pid", code = folder .. "/code" }
  local code = bridge.quote(job.code)
  local line = "( exec >%s 2>&1 </dev/null; env -u LD_LIBRARY_PATH %s & echo $! >%s; "
    .. "wait $!; echo $? >%s.part; mv %s.part %s ) &"
  if not os.execute(line:format(bridge.quote(job.log), command, bridge.quote(job.pid), code, code, code)) then
    return nil, "The shell cannot be started."
  end
  return job
end

-- How it goes: "running" and the last line it wrote, "done", or "failed" and all its words.
function bridge.poll(job)
  local code, words = content(job.code), content(job.log)
  if code == "" then
    return "running", words:match("[^\n]*$")
  elseif code == "0" then
    return "done"
  elseif code == "127" then
    return "failed", words .. "\n\nPut the path of segue into the variable SEGUE, or into segue_fill.lua."
  end
  return "failed", words ~= "" and words or "segue ended with code " .. code .. " and said nothing."
end

function bridge.stop(job)
  local pid = content(job.pid)
  if pid ~= "" then
    os.execute("kill " .. pid)
  end
end

return bridge
