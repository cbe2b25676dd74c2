// What is written beside the drafts: compaction, leases, revocations, and the store's own epoch and time. Spec: §4, §5.

import { OVERHEAD } from '@haip/history-engine';
import { FORMAT } from './common.ts';

/** Deletes the pieces of a message that has its end with the whole text. KEYS 2–5: the log. ARGV 10–12: subject, start, end. */
export const compact = `
local log = openLog(KEYS[2], KEYS[3], KEYS[4], KEYS[5])
local stream = log and subjectOf(log, ARGV[10])
local from, last = tonumber(ARGV[11]), tonumber(ARGV[12])
if not stream or stream.state ~= 'whole' or stream.last ~= last then return false end
from = math.max(from, log.first)
local gone = 0
while from < last do
  local got = call('XRANGE', log.entries, from .. '-0', (last - 1) .. '-0', 'COUNT', 64)
  if #got == 0 then break end
  local ids = {}
  for _, item in ipairs(got) do
    local _, size, key = string.match(item[2][2], '^(%S+) (%S+) (%S*)$')
    if key == stream.key then
      ids[#ids + 1] = item[1]
      log.bytes = log.bytes - tonumber(size) - ${OVERHEAD}
    end
    from = tonumber(string.match(item[1], '^%d+')) + 1
  end
  if #ids > 0 then call('XDEL', log.entries, unpack(ids)) end
  gone = gone + #ids
end
if gone == 0 then return false end
stream.entries = stream.entries - gone
saveSubject(log, stream)
saveLog(log)
return false
`;

/**
 * KEYS 2: the log. ARGV 10: the holder; 11: for how long. A lease is {epoch, fence, holder, until, record}: who holds one of
 * an epoch that is over holds nothing, but what is in the record is as old as the log is.
 */
export const lease = `
local log = openLog(KEYS[2])
if log == nil then return false end
local held = log.lease and cmsgpack.unpack(log.lease) or { '', 0, '', 0, '' }
if held[1] ~= epoch then
  held = { epoch, tonumber(call('HGET', META, 'fences')), '', 0, held[5] }
end
if held[3] ~= ARGV[10] then
  if held[4] > now then return false end
  held[2], held[3] = held[2] + 1, ARGV[10]
end
held[4] = now + tonumber(ARGV[11])
call('HSET', KEYS[2], 'l', cmsgpack.pack(held))
saveTime()
return { held[2], held[5] }
`;

/** KEYS 2: the log. ARGV 10: the fence; 11: the record. */
export const saveLease = `
local log = openLog(KEYS[2])
local held = log and log.lease and cmsgpack.unpack(log.lease)
if held and held[1] == epoch and held[2] == tonumber(ARGV[10]) then
  held[5] = ARGV[11]
  call('HSET', KEYS[2], 'l', cmsgpack.pack(held))
end
return false
`;

/** KEYS 2: the revocations. ARGV 10: the user; 11: for how long it is told; 12 and 13: where and with what others are told. */
export const revoke = `
call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'u', ARGV[10], 'at', now)
call('PEXPIRE', KEYS[2], 2 * 86400000)
while true do
  local oldest = call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  if oldest == nil or now - tonumber(oldest[2][4]) < tonumber(ARGV[11]) then break end
  call('XDEL', KEYS[2], oldest[1])
end
saveTime()
call('PUBLISH', ARGV[12], ARGV[13])
return false
`;

/**
 * Says who is there: the server that this connection leads to, which may be another one than before, or back without its
 * newest entries. The epoch stays for the same server, and for one that returned with everything. KEYS 2: when logs are
 * due. ARGV 10: "new" for a store that has no time yet; 11: the channel of the hints, to which each store that runs
 * listens; 12: most logs to be given. Gives epoch, time, and the logs to look after, which nobody else is given soon.
 */
export const attend = `
-- A server that is full is to be read from all the same.
local try = redis.pcall
local was = call('HMGET', META, 'run', 'replica', 'evicted', 'sure', 'wall', 'format')
if was[6] ~= '${FORMAT}' then return redis.error_reply('FORMAT of the keys is ' .. tostring(was[6]) .. ', this version of @haip/history-redis knows ${FORMAT}') end
local run, replica, evicted, isSure = string.match(ARGV[1], '^%S+ (%S+) (%S+) (%S+) (%S+)$')
local isSame = was[1] == run and was[2] == replica and tonumber(evicted) <= tonumber(was[3])
local isWhole = was[1] ~= run and was[4] == '1' and evicted == '0'
if isSame then
  try('HSET', META, 'sure', isSure)
elseif isWhole then
  call('HSET', META, 'run', run, 'replica', replica, 'evicted', evicted, 'sure', isSure)
else
  epoch = beginEpoch()
end
local wall = wallTime()
if ARGV[10] == 'new' then
  if savedTime == 0 then
    now = wall
  elseif call('PUBSUB', 'NUMSUB', ARGV[11])[2] == 0 then
    -- Nobody ran meanwhile, so that only the wall clock knows how long.
    now = now + math.max(0, wall - tonumber(was[5] or wall))
  end
end
try('HSET', META, 'time', now, 'wall', wall)
local due = call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[12])
for _, transaction in ipairs(due) do try('ZADD', KEYS[2], 'XX', now + 60000, transaction) end
return { epoch, now, due }
`;
