-- Viewers of the page: each looks at one after the other, a second apart. Arguments: who they are, as a header says it; then paths.
function init(arguments)
    paths = {}
    for index = 2, #arguments do paths[#paths + 1] = arguments[index] end
    headers = { Authorization = arguments[1] }
    count = 0
end

function delay() return 1000 end

function request()
    count = count + 1
    return wrk.format("GET", paths[count % #paths + 1], headers)
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format('{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "errors": %d}', summary.requests,
        summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
