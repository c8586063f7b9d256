-- wrk -s fixed.lua URL -- [FILE [BYTES]]     one request over and over, with FILE's first line as its bearer token; with so many
--                                            bytes in its body
function init(arguments)
    if arguments[2] then
        wrk.method = "POST"
        wrk.body = string.rep("x", tonumber(arguments[2]))
    end
    if arguments[1] then
        for line in io.lines(arguments[1]) do
            wrk.headers["Authorization"] = "Bearer " .. line
            break
        end
    end
end

-- The figures, as one line of JSON on standard error.
function done(summary, latency)
    local errors = summary.errors
    io.stderr:write(string.format(
        '{"requests":%d,"us":%d,"p50":%.1f,"p99":%.1f,"refused":%d,"errors":%d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
