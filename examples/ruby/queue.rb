# What has become of these Qiniu tasks? Many at once.
#
#     QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... ruby queue.rb ID...
#
# It waits with IO#wait_readable: other threads go on meanwhile and, under a Fiber scheduler (e.g. in an `Async do`
# block of the async gem), other fibers. Answers come in the order in which they arrive.
# Exit status: 0 every task could be asked for, 1 some could not, 2 none was asked for.
require "io/wait"
require_relative "prefop"

# Yields each id with its prefop_task, or with nil and why there is none. A queue belongs to one thread at a time: to
# the one that calls this.
def ask(client, ids)
  queue = Prefop.handed_out { |out, error| Prefop.prefop_queue_new(client, out, error) }
  done, error = Prefop.sized("prefop_completion"), Prefop.sized("prefop_error")
  # It stays the same and is level-triggered. It is the queue's, which closes it: Ruby must not.
  descriptor = Prefop.prefop_queue_fd(queue)
  raise Prefop::Error, Prefop.prefop_status_name(descriptor).to_s if descriptor.negative?
  readable = IO.for_fd(descriptor, autoclose: false)

  ids.each_with_index do |id, tag|
    status = Prefop.prefop_queue_submit(queue, id, tag, nil, error)
    yield id, nil, Prefop.text(error.message) unless status.zero?
  end
  while Prefop.prefop_queue_pending(queue).positive?
    # Submitting made it readable, so that the first query goes out like all others.
    readable.wait_readable
    # The library works in prefop_queue_next only. Until it does not return 1, since one event can stand for many
    # completions; with a timeout of 0, since it is wait_readable that waits.
    while (result = Prefop.prefop_queue_next(queue, 0, done, error)) == 1
      if done.status.zero?
        yield ids[done.tag], Prefop::STRUCTS["prefop_task"].new(done.task), nil
        Prefop.prefop_task_free(done.task)
      else
        yield ids[done.tag], nil, Prefop.text(error.message)
      end
    end
    raise Prefop::Error, Prefop.text(error.message) if result.negative?
  end
ensure
  Prefop.prefop_queue_free(queue)
end

def main(ids)
  raise Prefop::Error, "usage: ruby queue.rb PERSISTENT-ID..." if ids.empty?
  client = Prefop.client(api_hosts: ENV["PREFOP_API_HOSTS"], ca_file: ENV["PREFOP_CA_FILE"])
  outcome = 0
  ask(client, ids) do |id, task, problem|
    if task
      puts "#{id}: #{Prefop.code_name(task)}"
    else
      warn "#{id}: #{problem}"
      outcome = 1
    end
  end
  outcome
rescue Prefop::Error => problem
  warn problem.message
  2
ensure
  Prefop.prefop_client_free(client)
end

exit main(ARGV) if $PROGRAM_NAME == __FILE__
