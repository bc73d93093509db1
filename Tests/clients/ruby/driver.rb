# Asks for the ids given and prints one line of JSON for each:
#
#   ruby driver.rb LIBRARY HEADER [--<client option>=<number>]... ID ...
#
# Options count for the id after them. The host is PREFOP_TEST_HTTPS, else
# PREFOP_TEST_HTTP; the authority to trust is PREFOP_TEST_CA.
require "json"

ENV["PREFOP_LIBRARY"], ENV["PREFOP_HEADER"] = ARGV.shift(2)
require_relative "../../../examples/ruby/prefop"

TASK_MEMBERS = %w[persistent_id code description object_name bucket_name pipeline task_from request_id type created_at
                  json]
ITEM_MEMBERS = %w[command code description error error_index hash object_name result return_old]
ERROR_NUMBERS = %w[status http_status curl_code attempts retryable retry_after_ms]
ERROR_TEXTS = %w[request_id host message]

def text(pointer) = pointer.null? ? nil : pointer.to_s.force_encoding("UTF-8")

def members(struct, names)
  names.to_h { |name| [name, struct[name].is_a?(Fiddle::Pointer) ? text(struct[name]) : struct[name]] }
end

def item(address)
  struct = Prefop::STRUCTS["prefop_task_item"].new(address)
  names = Prefop.pointers(struct.object_names, struct.object_name_count).map { |name| text(name) }
  members(struct, ITEM_MEMBERS).merge("object_names" => names)
end

def task(address)
  struct = Prefop::STRUCTS["prefop_task"].new(address)
  items = Prefop.pointers(struct.items, struct.item_count).map { |each| item(each) }
  members(struct, TASK_MEMBERS).merge("items" => items)
end

def failure(struct)
  members(struct, ERROR_NUMBERS).merge(ERROR_TEXTS.to_h { |name| [name, Prefop.text(struct[name])] })
end

def ask(id, options)
  hosts = ENV["PREFOP_TEST_HTTPS"] || ENV["PREFOP_TEST_HTTP"]
  error, answer = Prefop.sized("prefop_error"), nil
  client = Prefop.client(error, api_hosts: hosts, ca_file: ENV["PREFOP_TEST_CA"], **options)
  answer = Prefop.handed_out(error) { |out| Prefop.prefop_query(client, id, nil, out, error) }
rescue Prefop::Error
  # The error tells.
ensure
  puts JSON.generate("id" => id, "task" => answer && task(answer), "error" => failure(error))
  Prefop.prefop_task_free(answer)
  Prefop.prefop_client_free(client)
end

options = {}
ARGV.each do |argument|
  if (option = argument.match(/\A--(\w+)=(-?\d+)\z/n))
    options[option[1].to_sym] = option[2].to_i
  else
    ask(argument.dup.force_encoding("UTF-8"), options)
    options = {}
  end
end
