-- The token buckets of requests and tokens a minute, all of a call in one script.
--
-- A bucket of limit L (a minute) has a width C: at most 5 % of L, but one request, or one call's tokens.
-- It fills at L - C a minute, up to C. Within any 60 s it gives what it held, at most C, and what came in,
-- at most L - C: never more than L.
--
--   wider     A call of more tokens than the width makes the bucket wider for a while. It fills at L less
--             the widest of the last minutes, so that the sum above still holds while it gets narrower.
--   missing   A bucket that is not there starts empty and slow: whatever was in it before (a flushed Redis)
--             could hold no more than C, so the limit is not passed by forgetting it.
--   credit    What a call did not use comes back, but only as far as the bucket could have held it ever
--             since: `peak` is the highest level, less the credits given by then, of about the last
--             minute, `past` that of the minute before. So the tokens really used keep the limit too.
--   share     The part of the filling that a provider takes at present: halved by a refusal (once for all
--             calls that were under way), doubled every 10 s of service while below a half (slow start),
--             then a hundredth a second. It starts at a half.
--   closed    The provider said when to come again.
--
-- KEYS: hashed to one slot; each holds { requests, tokens }, either of them `false` or a bucket. ARGV[1]:
-- JSON of `now` (none: the server's), `limits` [[requests, tokens, 1 for a provider's], …] by key, and
-- `takes` or `endings`; see there.
-- Postgres has the same in its migration 0016_rates.sql; one conformance suite holds both.

local LEVEL, AT, SHARE, CUT_AT, GROWN_AT, CLOSED, ASK = 1, 2, 3, 4, 5, 6, 7
local WIDTH_FROM, WIDTH, WIDTH_BEFORE, WIDTH_OLDEST = 8, 9, 10, 11
local CREDITS, PEAK_FROM, PEAK, PAST_FROM, PAST = 12, 13, 14, 15, 16

local minute = 60000
local keepMs = 7 * 24 * 60 * minute

local max, min, floor = math.max, math.min, math.floor
local input = cjson.decode(ARGV[1])
local limits = input.limits

local now = input.now
if not now or now == cjson.null then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end

local function burstOf(limit) return max(1, limit * 0.05) end

local function capOf(b, limit) return max(1, limit * 0.05, b[WIDTH], b[WIDTH_BEFORE]) end

local function perMs(b, limit)
  local widest = max(1, limit * 0.05, b[WIDTH], b[WIDTH_BEFORE], b[WIDTH_OLDEST])
  return max(limit - widest, 0.99) * b[SHARE] / minute
end

local function create(share)
  return { 0, now, share, 0, now, 0, 1, now, 0, 0, 0, 0, now, 0, now, 0 }
end

local function refill(b, limit)
  if now > b[AT] then
    b[LEVEL] = b[LEVEL] + perMs(b, limit) * (now - b[AT])
    b[AT] = now
  end
  for _ = 1, min(3, floor((b[AT] - b[WIDTH_FROM]) / minute)) do
    b[WIDTH_OLDEST], b[WIDTH_BEFORE], b[WIDTH], b[WIDTH_FROM] = b[WIDTH_BEFORE], b[WIDTH], 0, b[AT]
  end
  b[LEVEL] = min(b[LEVEL], capOf(b, limit))
  local high = b[LEVEL] - b[CREDITS]
  if b[AT] - b[PEAK_FROM] >= minute then
    b[PAST_FROM], b[PAST], b[PEAK_FROM], b[PEAK] = b[PEAK_FROM], b[PEAK], b[AT], high
  else
    b[PEAK] = max(b[PEAK], high)
  end
end

local function widen(b, limit, need)
  b[ASK] = need
  if need > capOf(b, limit) then
    b[WIDTH] = min(0.9 * limit, need * 1.25)
    b[PEAK_FROM], b[PAST_FROM], b[PEAK] = b[AT], b[AT], b[LEVEL] - b[CREDITS]
  elseif need > burstOf(limit) then
    b[WIDTH] = max(b[WIDTH], need)
  end
end

-- The buckets of key `k`, brought up to now, by unit; a unit without limit has none.
local loaded = {}
local function bucketsOf(k)
  local found = loaded[k]
  if found then return found end
  local stored = redis.call('GET', KEYS[k])
  found = stored and cmsgpack.unpack(stored) or { false, false }
  for unit = 1, 2 do
    local limit = limits[k][unit]
    if limit and limit ~= cjson.null then
      if not found[unit] then found[unit] = create(limits[k][3] == 1 and 0.5 or 1) end
      refill(found[unit], limit)
    end
  end
  loaded[k] = found
  return found
end

local function limited(k, unit)
  local limit = limits[k][unit]
  return limit and limit ~= cjson.null and limit or nil
end

local function store()
  for k, buckets in pairs(loaded) do
    redis.call('SET', KEYS[k], cmsgpack.pack(buckets), 'PX', keepMs)
  end
end

-- takes: [[tokens, k, …], …]; answers now, then for each [wait in ms (-1: it never fits), the k and unit
-- that were in the way].
local function take()
  local answers = { string.format('%.3f', now) }
  for n, asked in ipairs(input.takes) do
    local tokens = asked[1]
    local wait, byKey, byUnit = 0, 0, 0
    for i = 2, #asked do
      local k = asked[i]
      local buckets = bucketsOf(k)
      for unit = 1, 2 do
        local limit = limited(k, unit)
        if limit and wait >= 0 then
          local b = buckets[unit]
          local need = unit == 1 and 1 or tokens
          if need > max(1, 0.9 * limit) then
            wait, byKey, byUnit = -1, k, unit
          else
            widen(b, limit, need)
            local own = max(b[CLOSED] - b[AT], 0)
            if b[LEVEL] < need then own = max(own, (need - b[LEVEL]) / perMs(b, limit), 1) end
            if own > wait then wait, byKey, byUnit = own, k, unit end
          end
        end
      end
    end
    if wait == 0 then
      for i = 2, #asked do
        local buckets = loaded[asked[i]]
        for unit = 1, 2 do
          if limited(asked[i], unit) then
            buckets[unit][LEVEL] = buckets[unit][LEVEL] - (unit == 1 and 1 or tokens)
          end
        end
      end
      answers[n + 1] = 0
    else
      answers[n + 1] = { math.ceil(wait), byKey, byUnit }
    end
  end
  store()
  return answers
end

local function finish(b, limit, k, unit, ending)
  local back = ending.back[unit]
  local since = ending.takenAt
  if back < 0 then
    b[LEVEL] = b[LEVEL] + back
  elseif back > 0 and since >= b[PAST_FROM] then
    local high = b[PEAK]
    if since < b[PEAK_FROM] then high = max(high, b[PAST]) end
    back = max(0, min(back, capOf(b, limit) - high - b[CREDITS]))
    b[LEVEL] = b[LEVEL] + back
    b[CREDITS] = b[CREDITS] + back
  end
  if limits[k][3] ~= 1 then return end
  if ending.pressure == 'refused' and since >= b[CUT_AT] then
    b[SHARE], b[CUT_AT], b[GROWN_AT] = max(0.05, b[SHARE] / 2), now, now
  elseif ending.pressure == 'served' then
    local seconds = min(5, max(0, now - b[GROWN_AT]) / 1000)
    if b[SHARE] < 0.5 then
      b[SHARE] = b[SHARE] * 2 ^ (seconds / 10)
    else
      b[SHARE] = min(1, b[SHARE] + 0.01 * seconds)
    end
    b[GROWN_AT] = max(now, b[GROWN_AT])
  end
  if ending.closeMs then b[CLOSED] = max(b[CLOSED], now + ending.closeMs) end
  local told = ending.left and ending.left[unit]
  if told and told ~= cjson.null then b[LEVEL] = min(b[LEVEL], told) end
end

-- endings: [{ keys, takenAt, back: [requests, tokens], pressure, closeMs, left: [requests, tokens] }, …]
local function endCalls()
  for _, ending in ipairs(input.endings) do
    for _, k in ipairs(ending.keys) do
      local buckets = bucketsOf(k)
      for unit = 1, 2 do
        local limit = limited(k, unit)
        if limit then finish(buckets[unit], limit, k, unit, ending) end
      end
    end
  end
  store()
  return 0
end

-- Answers 1 for every key that has room for a call as its last one was, or that has no bucket yet.
local function room()
  local answers = {}
  for k = 1, #KEYS do
    local stored = redis.call('GET', KEYS[k])
    local buckets = stored and cmsgpack.unpack(stored) or { false, false }
    answers[k] = 1
    for unit = 1, 2 do
      local limit = limited(k, unit)
      local b = buckets[unit]
      if limit and b then
        refill(b, limit)
        if b[LEVEL] < min(b[ASK], capOf(b, limit)) or b[CLOSED] > b[AT] then answers[k] = 0 end
      end
    end
  end
  return answers
end

if input.takes then return take() end
if input.endings then return endCalls() end
return room()
