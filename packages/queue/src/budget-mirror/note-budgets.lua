-- Notes budgets as they were after a commit. KEYS are budgets of one slot; ARGV is how long they may be
-- kept, in milliseconds, then of each: version, held and spent micro-USD, held and spent tokens. All are
-- absolute, so that a note that is lost or comes twice does no harm, and a newer version wins over one
-- that comes late. Answers how many were newer.
local newer = 0
for i, key in ipairs(KEYS) do
  local at = 2 + (i - 1) * 5
  local known = redis.call('HGET', key, 'version')
  if not known or tonumber(known) < tonumber(ARGV[at]) then
    redis.call('HSET', key, 'version', ARGV[at], 'heldMicroUsd', ARGV[at + 1], 'spentMicroUsd', ARGV[at + 2],
      'heldTokens', ARGV[at + 3], 'spentTokens', ARGV[at + 4])
    redis.call('PEXPIRE', key, ARGV[1])
    newer = newer + 1
  end
end
return newer
