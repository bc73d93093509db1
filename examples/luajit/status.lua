-- What has become of these Qiniu tasks?
--
--   QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... luajit status.lua z0.597f28b445a2650c994bb208
--
-- The declarations are read from prefop.h itself: PREFOP_HEADER, or this repository's.
-- Exit status: 0 all of every task succeeded, 1 a task failed or is not finished,
-- 2 one could not be asked for.

local ffi = require("ffi")

local function fail(message)
  io.stderr:write(message, "\n")
  os.exit(2)
end

local header = os.getenv("PREFOP_HEADER") or (arg[0]:match("^.*/") or "./") .. "../../include/prefop.h"
local file, problem = io.open(header)
if not file then fail(problem) end
ffi.cdef(file:read("*a"):match("/%* ffi: begin %*/(.*)/%* ffi: end %*/"))
file:close()
local prefop = ffi.load(os.getenv("PREFOP_LIBRARY") or "libprefop.so.1")

-- A cleared struct that knows its size.
local function new(type) return ffi.new(type, { struct_size = ffi.sizeof(type) }) end

-- Prints members by name; what is absent is "", NULL or -1.
local function show(struct, ...)
  for _, name in ipairs({ ... }) do
    local value = struct[name]
    local text = type(value) == "cdata" and ffi.istype("int64_t", value) and tostring(tonumber(value))
      or value ~= nil and ffi.string(value) or ""
    if text ~= "" and text ~= "-1" then print(("  %-13s %s"):format(name, text)) end
  end
end

local function ask(client, id)
  local out, err = ffi.new("prefop_task *[1]"), new("prefop_error")
  if prefop.prefop_query(client, id, nil, out, err) ~= prefop.PREFOP_OK then
    local later = err.retryable == 1 and "; asking again later may help" or ""
    io.stderr:write(("%s: %s (request id: %s)%s\n"):format(id, ffi.string(err.message), ffi.string(err.request_id), later))
    return 2
  end
  local task = ffi.gc(out[0], prefop.prefop_task_free)
end
