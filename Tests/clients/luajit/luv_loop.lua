-- The luv example beside a ticker in the same loop; prints as Tests/clients/c/ticker.h does.
local ffi = require("ffi")
local uv = require("luv")

ffi.cdef("struct timespec { long seconds, nanoseconds; }; int clock_gettime(int, struct timespec *);")
local MONOTONIC, THREAD_CPU = 1, 3
local PERIOD_MS, BAR_MS = 1, 20

local time = ffi.new("struct timespec[1]")
local function clock(which)
  ffi.C.clock_gettime(which, time)
  return tonumber(time[0].seconds) * 1e3 + tonumber(time[0].nanoseconds) / 1e6
end

local last, last_cpu, first_cpu
local ticks, latest, beyond, longest_held = 0, 0, 0, 0
local function tick()
  local now, cpu = clock(MONOTONIC), clock(THREAD_CPU)
  if last then
    local late = now - last - PERIOD_MS
    ticks, latest, longest_held = ticks + 1, math.max(latest, late), math.max(longest_held, cpu - last_cpu)
    if late > BAR_MS then beyond = beyond + 1 end
  end
  last, last_cpu, first_cpu = now, cpu, first_cpu or cpu
end

local timer = uv.new_timer()
timer:start(PERIOD_MS, PERIOD_MS, tick)
timer:unref() -- The loop ends with the example.

local exit = os.exit
os.exit = function(status)
  tick()
  io.stderr:write(("%d %.3f %d %.3f %.3f\n"):format(ticks, latest, beyond, longest_held, last_cpu - first_cpu))
  exit(status)
end
arg[0] = arg[0]:gsub("Tests/clients/luajit/luv_loop.lua$", "examples/luajit/queue_luv.lua")
dofile(arg[0])
