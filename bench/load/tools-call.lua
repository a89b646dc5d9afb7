-- wrk -s tools-call.lua URL -- BODY [NAME VALUE]...
-- POSTs one body over and over, keeps the first answer that isn't 2xx, and prints the figures as one line of JSON.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrk.method = "POST"
  wrk.body = args[1]
  for i = 2, #args, 2 do
    wrk.headers[args[i]] = args[i + 1]
  end
  refused = 0
end

function response(status, headers, body)
  if status < 200 or status > 299 then
    refused = refused + 1
    if refused == 1 then
      refusal = status .. " " .. string.sub(body, 1, 500)
    end
  end
end

local function quote(text)
  return '"' .. string.gsub(text, '[%c"\\\127-\255]', function(c)
    return string.format("\\u%04x", string.byte(c))
  end) .. '"'
end

function done(summary, latency, requests)
  local refusedInAll, firstRefusal = 0, ""
  for _, thread in ipairs(threads) do
    refusedInAll = refusedInAll + thread:get("refused")
    firstRefusal = thread:get("refusal") or firstRefusal
  end
  local e = summary.errors
  io.write(string.format(
    'figures {"requests":%d,"micros":%d,"p50Micros":%d,"p99Micros":%d,"refused":%d,"firstRefusal":%s,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    refusedInAll, quote(firstRefusal), e.connect, e.read, e.write, e.timeout
  ))
end
