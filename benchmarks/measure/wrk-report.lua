-- Called by wrk when the load is over: one line of JSON, times in microseconds.
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"n":%d,"failures":%d,"requestsPerSecond":%.3f,"p50Us":%.1f,"p99Us":%.1f}\n',
    summary.requests, errors.connect + errors.read + errors.write + errors.timeout + errors.status,
    summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99)))
end
