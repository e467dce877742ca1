-- For wrk: one request per buyer, each under a key of its own. The lines above, which say what is sent, are
-- written by load.rs.
-- usage: wrk -s THIS URL -- TOKENS_FILE KEY_PREFIX COUNTS_STATUSES

local threads = {}
local afters = {}
for item = 0, items - 1 do
  afters[item] = string.gsub(after, "i0000", string.format("i%04d", item))
end

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  tokens_file, prefix, number = args[1], args[2], 0
  tokens = io.lines(tokens_file)
  statuses = {}
  if args[3] == "true" then
    -- Only where it is asked for: it costs the generator much.
    function response(status)
      local name = tostring(status)
      statuses[name] = (statuses[name] or 0) + 1
    end
  end
end

function request()
  local token = tokens()
  if token == nil then
    tokens = io.lines(tokens_file)
    token = tokens()
  end
  number = number + 1
  return before .. token .. key_field .. prefix .. number .. afters[number % items]
end

function done(summary, latency)
  local counted = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do
      counted[#counted + 1] = string.format('"%s":%d', status, count)
    end
  end
  local errors = summary.errors
  io.write(string.format(
    '\nJSON {"completed":%d,"duration_us":%d,"status_errors":%d,"socket_errors":%d,"timeouts":%d,' ..
    '"p50_us":%d,"p99_us":%d,"p999_us":%d,"statuses":{%s}}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write,
    errors.timeout, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    table.concat(counted, ",")))
end
