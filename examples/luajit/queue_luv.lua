-- What has become of these Qiniu tasks? Many at once, in the libuv loop of luv (Debian: lua-luv).
--   QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... luajit queue_luv.lua ID...
--
-- Answers come in the order in which they arrive, while the loop's other handles go on.
-- Exit status: 0 every task could be asked for, 1 some could not, 2 none was asked for.
local ffi = require("ffi")
local uv = require("luv")
local C -- the library

local function new(type) return ffi.new(type, { struct_size = ffi.sizeof(type) }) end -- the rest is cleared

local failures = 0
local function failed(...)
  io.stderr:write(...)
  failures = failures + 1
end

local function show(id, done, err)
  if done.status ~= C.PREFOP_OK then return failed(id, ": ", ffi.string(err.message), "\n") end
  print(id .. ": " .. ffi.string(C.prefop_code_name(done.task.code)))
  C.prefop_task_free(done.task)
end

-- Asks for the tasks in the default loop; returns when all have ended. A queue belongs to one thread at a time: all
-- that touches it runs in the loop's.
local function ask(client, ids)
  local out, done, err = ffi.new("prefop_queue *[1]"), new("prefop_completion"), new("prefop_error")
  if C.prefop_queue_new(client, out, err) ~= C.PREFOP_OK then error(ffi.string(err.message), 0) end
  local queue = out[0]
  for tag, id in ipairs(ids) do
    if C.prefop_queue_submit(queue, id, tag, nil, err) ~= C.PREFOP_OK then
      failed(id, ": ", ffi.string(err.message), "\n")
    end
  end

  -- The descriptor stays the same and is level-triggered, as libuv expects it. Submitting makes it readable, so that
  -- the first query goes out from the loop like all others.
  local watcher = assert(uv.new_poll(C.prefop_queue_fd(queue)))
  local function take()
    -- The library works in prefop_queue_next only. Until it does not return 1, since one event can stand for many
    -- completions; with a timeout of 0, since it is the loop that waits.
    local result = C.prefop_queue_next(queue, 0, done, err)
    while result == 1 do
      show(ids[tonumber(done.tag)], done, err)
      result = C.prefop_queue_next(queue, 0, done, err)
    end
    if result < 0 then failed(ffi.string(err.message), "\n") end
    -- A program that submits more later goes on watching: an idle queue's descriptor is not readable.
    if result < 0 or C.prefop_queue_pending(queue) == 0 then watcher:close() end
  end
  if C.prefop_queue_pending(queue) > 0 then watcher:start("r", take) else watcher:close() end
  uv.run()

  -- Only now that nobody watches the descriptor any more: this closes it.
  C.prefop_queue_free(queue)
end

local function main(ids)
  assert(ids[1], "usage: luajit queue_luv.lua PERSISTENT-ID...")
  local path = os.getenv("PREFOP_HEADER") or (ids[0]:match("^.*/") or "") .. "../../include/prefop.h"
  ffi.cdef(assert(io.open(path)):read("*a"):match("/%* ffi: begin %*/(.*)/%* ffi: end %*/"))
  C = ffi.load(os.getenv("PREFOP_LIBRARY") or "libprefop.so.1")
  local hosts, ca_file = os.getenv("PREFOP_API_HOSTS"), os.getenv("PREFOP_CA_FILE")
  local out, err, options = ffi.new("prefop_client *[1]"), new("prefop_error"), new("prefop_client_options")
  options.api_hosts, options.ca_file = hosts, ca_file
  if C.prefop_client_new(options, out, err) ~= C.PREFOP_OK then error(ffi.string(err.message), 0) end
  ask(out[0], ids)
  C.prefop_client_free(out[0])
  return failures > 0 and 1 or 0
end

local ok, outcome = pcall(main, arg)
os.exit(ok and outcome or io.stderr:write(outcome, "\n") and 2)
