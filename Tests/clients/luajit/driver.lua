-- Asks for the ids given and prints one line of JSON for each:
--
--   luajit driver.lua LIBRARY HEADER [--<client option>=<number>]... ID ...
--
-- Options count for the id after them. The host is PREFOP_TEST_HTTPS, else
-- PREFOP_TEST_HTTP; the authority to trust is PREFOP_TEST_CA.

local ffi = require("ffi")

local file = assert(io.open(arg[2]))
local header = file:read("*a")
file:close()
ffi.cdef(assert(header:match("/%* ffi: begin %*/(.-)/%* ffi: end %*/")))
local prefop = ffi.load(arg[1])

local function text(value)
  if value == nil then return "null" end
  return '"' .. ffi.string(value):gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

local function number(value) return (tostring(value):gsub("U?LL$", "")) end

local function object(struct, members)
  local parts = {}
  for name, write in pairs(members) do parts[#parts + 1] = '"' .. name .. '":' .. write(struct[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function list(array, count, write)
  local parts = {}
  for i = 0, tonumber(count) - 1 do parts[#parts + 1] = write(array[i]) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function item(struct)
  return object(struct, {
    command = text, code = number, description = text, error = text, error_index = number, hash = text,
    object_name = text, result = text, return_old = number,
    object_names = function(names) return list(names, struct.object_name_count, text) end,
  })
end

local function task(struct)
  if struct == nil then return "null" end
  return object(struct, {
    persistent_id = text, code = number, description = text, object_name = text, bucket_name = text, pipeline = text,
    task_from = text, request_id = text, type = number, created_at = text, json = text,
    items = function(items) return list(items, struct.item_count, item) end,
  })
end

local function failure(struct)
  return object(struct, {
    status = number, http_status = number, curl_code = number, attempts = number, retryable = number,
    retry_after_ms = number, request_id = text, host = text, message = text,
  })
end

local function new(name)
  local struct = ffi.new(name)
  struct.struct_size = ffi.sizeof(name)
  return struct
end

local hosts = os.getenv("PREFOP_TEST_HTTPS") or os.getenv("PREFOP_TEST_HTTP")
local authority = os.getenv("PREFOP_TEST_CA")

local function ask(id, options)
  options.api_hosts, options.ca_file = hosts, authority
  local client, answer, err = ffi.new("prefop_client *[1]"), ffi.new("prefop_task *[1]"), new("prefop_error")
  if prefop.prefop_client_new(options, client, err) == prefop.PREFOP_OK then
    prefop.prefop_query(client[0], id, nil, answer, err)
  end
  prefop.prefop_client_free(client[0])
  print(('{"id":%s,"task":%s,"error":%s}'):format(text(id), task(answer[0]), failure(err)))
  prefop.prefop_task_free(answer[0])
end

local options = new("prefop_client_options")
for i = 3, #arg do
  local name, value = arg[i]:match("^%-%-([%w_]+)=(%-?%d+)$")
  if name then
    options[name] = tonumber(value)
  else
    ask(arg[i], options)
    options = new("prefop_client_options")
  end
end
