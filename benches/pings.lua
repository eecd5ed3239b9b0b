-- Requests of plug-ins for wrk: wrk -s pings.lua URL -- SALT PERSONS DELAY_MS [APP]
-- PERSONS 0: each request is that of a person never seen before (SALT tells runs apart); else they are drawn from so many.
-- DELAY_MS: how long a connection waits between requests on average; 0 for as fast as can be.
-- APP: the application that the persons use; when each of them has, they go on with the next one.

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("id", threads)
end

function init(args)
  salt, persons, pause = args[1] or "0", tonumber(args[2] or "0"), tonumber(args[3] or "0")
  first_app = tonumber(args[4] or "")
  nth = 0
  math.randomseed(id)
  if pause > 0 then
    delay = function() return math.floor(math.random() * 2 * pause + 0.5) end
  end
end

function request()
  nth = nth + 1
  local who = persons > 0 and "p" .. nth % persons or salt .. "." .. id .. "." .. nth
  local app = first_app and first_app + math.floor((nth - 1) / persons) or 1
  return "GET /ping?username=" .. who .. "&domainname=corp&appcode=" .. app .. "&version=24.1&machinename=ws1 HTTP/1.1\r\nhost: localhost\r\n\r\n"
end

function done(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(99), bad))
end
