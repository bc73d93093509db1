# The Ruby example beside a ticker in the same Async reactor; prints as Tests/clients/c/ticker.h does.
require "async"
require_relative "../../../examples/ruby/queue"

PERIOD_MS = 1
BAR_MS = 20

def clock(which) = Process.clock_gettime(which, :float_millisecond)

ticks = beyond = 0
latest = longest_held = 0.0
last = last_cpu = first_cpu = nil
tick = lambda do
  now, cpu = clock(Process::CLOCK_MONOTONIC), clock(Process::CLOCK_THREAD_CPUTIME_ID)
  if last
    late = now - last - PERIOD_MS
    ticks += 1
    latest, longest_held = [latest, late].max, [longest_held, cpu - last_cpu].max
    beyond += 1 if late > BAR_MS
  end
  last, last_cpu, first_cpu = now, cpu, first_cpu || cpu
end

outcome = nil
Async do |reactor|
  ticker = reactor.async do
    loop do
      sleep PERIOD_MS / 1000.0
      tick.call
    end
  end
  reactor.async { outcome = main(ARGV) }.wait
  ticker.stop
end
tick.call
warn format("%d %.3f %d %.3f %.3f", ticks, latest, beyond, longest_held, last_cpu - first_cpu)
exit outcome
