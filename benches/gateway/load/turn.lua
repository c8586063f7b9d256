-- wrk -s turn.lua URL -- FILE     each line of FILE as a bearer token, in turn
dofile((debug.getinfo(1, "S").source:match("^@(.*/)") or "./") .. "fixed.lua")

local requests, count, at = {}, 0, 0

function init(arguments)
    for line in io.lines(arguments[1]) do
        count = count + 1
        requests[count] = wrk.format("GET", wrk.path, { Host = wrk.headers["Host"], Authorization = "Bearer " .. line })
    end
end

function request()
    at = at % count + 1
    return requests[at]
end
