// Answers what is asked of logs, of one moment. Writes nothing: what ran out of its time is left out and deleted by
// others later. Spec: §4.

/** KEYS 2–5: the log, its entries, its younger and older ids. ARGV 10–13: from, to or "", most entries, most bytes. */
export const read = `
local log = openLog(KEYS[2], KEYS[3], KEYS[4], KEYS[5])
if log == nil then return false end
local plan = planTrim(log)
local first = plan and plan.first or log.first
local from, to, mostEntries, mostBytes = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
from, to = math.max(from, first), math.min(to or log.last, log.last)
local page, count, bytes, chunk = { epoch, first, log.last }, 0, 0, 4
while from <= to and count < mostEntries and bytes < mostBytes do
  local got = call('XRANGE', log.entries, from .. '-0', to .. '-0', 'COUNT', math.min(chunk, mostEntries - count))
  for _, item in ipairs(got) do
    if bytes >= mostBytes then break end
    local fields, id = item[2], string.match(item[1], '^%d+')
    local _, size = string.match(fields[2], '^(%S+) (%S+)')
    page[#page + 1] = id .. ' ' .. size
    page[#page + 1] = fields[4]
    page[#page + 1] = fields[6] or false
    bytes = bytes + tonumber(size)
    count = count + 1
    from = tonumber(id) + 1
  end
  if #got < chunk then break end
  -- As many more as will about fit: what follows may be large.
  chunk = math.max(1, math.min(128, math.floor((mostBytes - bytes) * count / math.max(bytes, 1))))
end
return page
`;

/**
 * Where logs stand, and who was revoked. KEYS 2: the revocations; then for each log four keys as for {@link read}. ARGV
 * 10: the place since which to tell, or ""; 11: for how long it is told.
 */
export const heads = `
local REVOKED, since, toldFor = KEYS[2], ARGV[10], tonumber(ARGV[11])
local newest = call('XREVRANGE', REVOKED, '+', '-', 'COUNT', 1)[1]
local positions, revoked = {}, {}
for i = 3, #KEYS, 4 do
  local log = openLog(KEYS[i], KEYS[i + 1], KEYS[i + 2], KEYS[i + 3])
  local plan = log and planTrim(log)
  positions[#positions + 1] = log and (plan and plan.first or log.first) or 0
  positions[#positions + 1] = log and log.last or 0
end
if since ~= '' then
  -- For a place of a store that was lost: all there are.
  local ofEpoch, place = string.match(since, '^(.*)/(%d+%-%d+)$')
  local after = ofEpoch == epoch and '(' .. place or '-'
  for _, item in ipairs(call('XRANGE', REVOKED, after, '+')) do
    local ago = now - tonumber(item[2][4])
    if ago < toldFor then
      revoked[#revoked + 1] = item[2][2]
      revoked[#revoked + 1] = math.max(0, ago)
    end
  end
end
return { epoch, newest and newest[1] or '0-0', positions, revoked }
`;
