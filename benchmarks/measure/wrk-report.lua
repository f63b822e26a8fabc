-- Arguments after `--`: method, file of the body (or -), file of paths (or -): one a line, asked for in turn.
-- When the load is over: one line of JSON, times in microseconds.
local function read(name)
  local file = assert(io.open(name, 'rb'))
  local text = file:read('*a')
  file:close()
  return text
end

init = function(args)
  if args[1] then wrk.method = args[1] end
  if args[2] and args[2] ~= '-' then wrk.body = read(args[2]) end
  if not args[3] or args[3] == '-' then return end
  local requests, at = {}, 0
  for path in read(args[3]):gmatch('[^\n]+') do requests[#requests + 1] = wrk.format(nil, path) end
  -- Only now: without this function wrk sends one request over and over, which costs it less.
  request = function()
    at = at % #requests + 1
    return requests[at]
  end
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"n":%d,"failures":%d,"requestsPerSecond":%.3f,"p50Us":%.1f,"p99Us":%.1f}\n',
    summary.requests, errors.connect + errors.read + errors.write + errors.timeout + errors.status,
    summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99)))
end
