-- wrk -s exchange.lua URL -- METHOD STATUS BODY-FILE [NAME VALUE]...
-- Asks the same over and over, keeps the first answer with another status, and prints the figures as one line of JSON.
-- An empty name of a file: no body.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrk.method = args[1]
  wanted = tonumber(args[2])
  if args[3] ~= "" then
    local file = assert(io.open(args[3], "rb"))
    wrk.body = file:read("*a")
    file:close()
  end
  for i = 4, #args, 2 do
    wrk.headers[args[i]] = args[i + 1]
  end
  refused = 0
end

function response(status, headers, body)
  if status ~= wanted then
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
