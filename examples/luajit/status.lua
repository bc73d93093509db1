-- What has become of these Qiniu tasks?
--   QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... luajit status.lua z0.597f28b445a2650c994bb208
--
-- Exit status: 0 all of every task succeeded, 1 a task failed or is not finished, 2 one could not be asked for.
local ffi = require("ffi")
local C -- the library

local function new(type) return ffi.new(type, { struct_size = ffi.sizeof(type) }) end -- the rest is cleared

-- Prints members by name; what is absent is "", NULL or -1.
local function show(struct, names)
  for name in names:gmatch("%S+") do
    local value = struct[name]
    local text = ffi.istype("int64_t", value) and tostring(tonumber(value)) or value ~= nil and ffi.string(value) or ""
    if text ~= "" and text ~= "-1" then print(("  %-13s %s"):format(name, text)) end
  end
end

local function ask(client, id)
  local out, err = ffi.new("prefop_task *[1]"), new("prefop_error")
  if C.prefop_query(client, id, nil, out, err) ~= C.PREFOP_OK then
    local later = err.retryable == 1 and "; try again later" or ""
    local reqid = err.request_id[0] ~= 0 and ffi.string(err.request_id) or "-"
    io.stderr:write(id, ": ", ffi.string(err.message), " (X-Reqid: ", reqid, ")", later, "\n")
    return 2
  end
  local task, succeeded = out[0], C.prefop_task_is_succeeded(out[0]) == 1
  print(("task %s: %s"):format(id, ffi.string(C.prefop_code_name(task.code))))
  show(task, "persistent_id code description object_name bucket_name pipeline task_from request_id type created_at")
  -- Three questions, since a task with code 0 can hold an item that failed.
  print("  finished      " .. (C.prefop_task_is_finished(task) == 1 and "yes" or "no"))
  print("  succeeded     " .. (succeeded and "yes, every item" or "no"))
  print("  failed item   " .. (tostring(C.prefop_task_failed_item(task, 0)):match("^%d+") or "none"))
  for i = 0, tonumber(task.item_count) - 1 do
    local item = task.items[i]
    print((" item %d: %s"):format(i, ffi.string(C.prefop_code_name(item.code))))
    show(item, "command code description error error_index hash object_name result return_old")
    for k = 0, tonumber(item.object_name_count) - 1 do print("  object_names  " .. ffi.string(item.object_names[k])) end
  end
  C.prefop_task_free(task)
  return succeeded and 0 or 1
end

local function main(ids)
  assert(ids[1], "usage: luajit status.lua PERSISTENT-ID...")
  local path = os.getenv("PREFOP_HEADER") or (ids[0]:match("^.*/") or "") .. "../../include/prefop.h"
  ffi.cdef(assert(io.open(path)):read("*a"):match("/%* ffi: begin %*/(.*)/%* ffi: end %*/"))
  C = ffi.load(os.getenv("PREFOP_LIBRARY") or "libprefop.so.1")
  local hosts, ca_file = os.getenv("PREFOP_API_HOSTS"), os.getenv("PREFOP_CA_FILE")
  local out, err, options = ffi.new("prefop_client *[1]"), new("prefop_error"), new("prefop_client_options")
  options.api_hosts, options.ca_file = hosts, ca_file
  if C.prefop_client_new(options, out, err) ~= C.PREFOP_OK then error(ffi.string(err.message), 0) end
  local worst = 0
  for _, id in ipairs(ids) do worst = math.max(worst, ask(out[0], id)) end
  C.prefop_client_free(out[0])
  return worst
end

local ok, outcome = pcall(main, arg)
os.exit(ok and outcome or io.stderr:write(outcome, "\n") and 2)
