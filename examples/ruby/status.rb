# What has become of these Qiniu tasks?
#
#     QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... ruby status.rb z0.597f28b445a2650c994bb208
#
# Exit status: 0 all of every task succeeded, 1 a task failed or is not finished, 2 one could not be asked for.
require_relative "prefop"

TASK_MEMBERS = %w[persistent_id code description object_name bucket_name pipeline task_from request_id type created_at]
ITEM_MEMBERS = %w[command code description error error_index hash object_name result return_old]

# Prints members by name, since `hash` is a method of every object; what is absent is "", NULL or -1.
def show(struct, members)
  members.each do |name|
    value = struct[name]
    value = value.null? ? "" : value.to_s.force_encoding("UTF-8") if value.is_a?(Fiddle::Pointer)
    puts format("  %-13s %s", name, value) unless ["", -1].include?(value)
  end
end

def show_task(id, task)
  puts "task #{id}: #{Prefop.code_name(task)}"
  show(task, TASK_MEMBERS)
  # Three questions, since a task with code 0 can hold an item that failed.
  failed = Prefop.prefop_task_failed_item(task, 0)
  puts "  finished      #{Prefop.prefop_task_is_finished(task) == 1 ? "yes" : "no"}"
  puts "  succeeded     #{Prefop.prefop_task_is_succeeded(task) == 1 ? "yes, every item" : "no"}"
  puts "  failed item   #{failed.negative? ? "none" : failed}"
  Prefop.pointers(task.items, task.item_count).each_with_index do |address, index|
    item = Prefop::STRUCTS["prefop_task_item"].new(address)
    puts " item #{index}: #{Prefop.code_name(item)}"
    show(item, ITEM_MEMBERS)
    Prefop.pointers(item.object_names, item.object_name_count).each do |name|
      puts "  object_names  #{name.to_s.force_encoding("UTF-8")}"
    end
  end
end

# Shows one task; returns the exit status that it deserves.
def ask(client, id)
  error = Prefop.sized("prefop_error")
  task = Prefop.handed_out(error) { |out| Prefop.prefop_query(client, id, nil, out, error) }
  show_task(id, Prefop::STRUCTS["prefop_task"].new(task))
  Prefop.prefop_task_is_succeeded(task) == 1 ? 0 : 1
rescue Prefop::Error => problem
  reqid = Prefop.text(error.request_id)
  warn "#{id}: #{problem.message} (X-Reqid: #{reqid.empty? ? "-" : reqid})#{"; try again later" if error.retryable == 1}"
  2
ensure
  Prefop.prefop_task_free(task)
end

begin
  raise Prefop::Error, "usage: ruby status.rb PERSISTENT-ID..." if ARGV.empty?
  client = Prefop.client(api_hosts: ENV["PREFOP_API_HOSTS"], ca_file: ENV["PREFOP_CA_FILE"])
  worst = ARGV.map { |id| ask(client, id) }.max
rescue Prefop::Error => problem
  warn problem.message
  worst = 2
ensure
  Prefop.prefop_client_free(client)
end
exit worst
