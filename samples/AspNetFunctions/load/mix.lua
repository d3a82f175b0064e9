-- The load of a service whose guests misbehave, for wrk: of 100 calls one crashes the guest, one spins for ever and
-- one waits in an asynchronous host function. Each answer is checked: its status, its result, and that no guest
-- remembers what another request left.

local path = "/guests/functions/functions/"
local threads = {}

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

function init()
    math.randomseed(os.time() * 64 + number)
    crashes = 0
    spins = 0
    seen = { ok = 0, crashed = 0, ended = 0, busy = 0, wrong = 0 }
    wrong = ""
    calls = 0
end

local function call(name, arguments)
    return wrk.format("POST", path .. name, { ["Content-Type"] = "application/json" }, '{"arguments":[' .. arguments .. "]}")
end

function request()
    calls = calls + 1
    local chance = math.random(100)
    if chance == 1 then
        crashes = crashes + 1
        return call("Crash", "")
    elseif chance == 2 then
        spins = spins + 1
        return call("Spin", "")
    elseif chance == 3 then
        return call("Wait", "100")
    elseif chance <= 50 then
        return call("Remember", '"marker ' .. number .. "." .. calls .. '"')
    end
    return call("Add", "40,2")
end

-- The type of a result says which function it is of.
local function is_right(body)
    return body:find('{"type":"int","result":42,', 1, true) == 1
        or body:find('{"type":"string","result":"",', 1, true) == 1
        or body:find('{"type":"uint","result":100,', 1, true) == 1
end

function response(status, headers, body)
    if status == 200 and is_right(body) then
        seen.ok = seen.ok + 1
    elseif status == 502 and body:find("guest-crashed", 1, true) then
        seen.crashed = seen.crashed + 1
    elseif status == 504 and body:find("time-limit", 1, true) then
        seen.ended = seen.ended + 1
    elseif status == 503 and body:find("busy", 1, true) then
        seen.busy = seen.busy + 1
    else
        seen.wrong = seen.wrong + 1
        wrong = status .. " " .. body
    end
end

function done(summary, latency, requests)
    local crashes, spins = 0, 0
    local total = { ok = 0, crashed = 0, ended = 0, busy = 0, wrong = 0 }
    for _, thread in ipairs(threads) do
        local seen = thread:get("seen")
        crashes = crashes + thread:get("crashes")
        spins = spins + thread:get("spins")
        for kind, _ in pairs(total) do
            total[kind] = total[kind] + seen[kind]
        end
        local text = thread:get("wrong")
        if text ~= "" then
            print("WRONG: " .. text)
        end
    end
    print(string.format("right results %d, crashed %d of %d, ended %d of %d, refused as busy %d, WRONG %d",
        total.ok, total.crashed, crashes, total.ended, spins, total.busy, total.wrong))
    print(string.format("p50 %.1f ms, p99 %.1f ms, %.0f requests a second",
        latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.requests / (summary.duration / 1e6)))
end
