-- What one connection of wrk posts: events with ids of their own, signed as Stripe signs them.
local ffi = require("ffi")
ffi.cdef [[
    const void *EVP_sha256(void);
    unsigned char *HMAC(const void *md, const void *key, int key_len, const unsigned char *data, size_t count,
                        unsigned char *result, unsigned int *result_len);
]]
local crypto = ffi.load("libcrypto.so.3")
local result = ffi.new("unsigned char[32]")

local threads = 0
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

local secret, name, count
function init(arguments)
    secret, name, count = arguments[1], arguments[2], 0
end

-- As long as an invoice of a few lines.
local rest = '","object":"event","type":"invoice.paid","livemode":false,"api_version":"2026-10-28.endive",'
    .. '"data":{"object":{"id":"in_1","object":"invoice","metadata":{"padding":"' .. string.rep("x", 3000) .. '"}}}}'

function request()
    count = count + 1
    local body = '{"id":"evt_' .. name .. "_" .. number .. "_" .. count .. rest
    local time = tostring(os.time())
    local signed = time .. "." .. body
    crypto.HMAC(crypto.EVP_sha256(), secret, #secret, signed, #signed, result, nil)
    local code = {}
    for index = 0, 31 do code[index + 1] = string.format("%02x", result[index]) end
    return wrk.format("POST", "/webhooks/stripe", {
        ["Content-Type"] = "application/json",
        ["Stripe-Signature"] = "t=" .. time .. ",v1=" .. table.concat(code),
    }, body)
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
