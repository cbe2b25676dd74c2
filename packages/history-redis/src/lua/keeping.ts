// What is written beside the drafts: compaction, leases, revocations, and the store's own epoch and time. Spec: §4, §5.

import { OVERHEAD } from '@haip/history-engine';
import { FORMAT } from './common.ts';

/** How many revocations are kept at most, as in the reference store; and how long by Redis' own clock, should no store run. */
const MOST_REVOKED = 10_000;
const REVOKED_KEPT_MS = 2 * 86_400_000;
/** For so long nobody else is given a log to look after. */
const CLAIMED_MS = 60_000;

/** Deletes the pieces of a message that has its end with the whole text. KEYS 2–5: the log. ARGV 10–12: subject, start, end. */
export const compact = `
local key, from, last = ARGV[10], tonumber(ARGV[11]), tonumber(ARGV[12])
local log = openLog(KEYS[2], KEYS[3], KEYS[4], KEYS[5])
local stream = log and subjectOf(log, key)
if not stream or stream.state ~= 'whole' or stream.last ~= last then return false end
-- What ran out of its time was trimmed: it must not look compacted afterwards.
trim(log)
from = math.max(from, log.first)
while from < last do
  local got = call('XRANGE', log.entries, from .. '-0', (last - 1) .. '-0', 'COUNT', 64)
  if #got == 0 then break end
  local ids = {}
  for _, item in ipairs(got) do
    local _, size, piece = string.match(item[2][2], '^(%S+) (%S+) (%S*)$')
    if piece == key then
      ids[#ids + 1] = item[1]
      log.bytes = log.bytes - tonumber(size) - ${OVERHEAD}
    end
    from = tonumber(string.match(item[1], '^%d+')) + 1
  end
  if #ids > 0 then call('XDEL', log.entries, unpack(ids)) end
  stream.entries = stream.entries - #ids
  log.deleted = log.deleted + #ids
end
saveSubject(log, stream)
saveLog(log)
return false
`;

/**
 * KEYS 2: the log. ARGV 10: the holder; 11: for how long. A lease is {epoch, fence, holder, until, record}: who holds one of
 * an epoch that is over holds nothing, but what is in the record is as old as the log is.
 */
export const lease = `
local asks, ttl = ARGV[10], tonumber(ARGV[11])
local log = openLog(KEYS[2])
if log == nil then return false end
local ofEpoch, fence, holder, heldUntil, record = '', 0, false, 0, ''
if log.lease then ofEpoch, fence, holder, heldUntil, record = unpack(cmsgpack.unpack(log.lease)) end
if ofEpoch ~= epoch then fence, holder, heldUntil = tonumber(call('HGET', META, 'fences')), false, 0 end
if holder ~= asks then
  if heldUntil > now then return false end
  fence = fence + 1
end
call('HSET', KEYS[2], 'l', cmsgpack.pack({ epoch, fence, asks, now + ttl, record }))
saveTime()
return { fence, record }
`;

/** KEYS 2: the log. ARGV 10: the fence; 11: the record. */
export const saveLease = `
local fence, record = tonumber(ARGV[10]), ARGV[11]
local log = openLog(KEYS[2])
local held = log and log.lease and cmsgpack.unpack(log.lease)
if held and held[1] == epoch and held[2] == fence then
  held[5] = record
  call('HSET', KEYS[2], 'l', cmsgpack.pack(held))
end
return false
`;

/** KEYS 2: the revocations. ARGV 10: the user; 11: for how long it is told; 12 and 13: where and with what others are told. */
export const revoke = `
local REVOKED, user, toldFor, channel, hint = KEYS[2], ARGV[10], tonumber(ARGV[11]), ARGV[12], ARGV[13]
call('XADD', REVOKED, 'MAXLEN', '~', ${MOST_REVOKED}, '*', 'u', user, 'at', now)
call('PEXPIRE', REVOKED, ${REVOKED_KEPT_MS})
while true do
  local oldest = call('XRANGE', REVOKED, '-', '+', 'COUNT', 1)[1]
  if now - tonumber(oldest[2][4]) < toldFor then break end
  call('XDEL', REVOKED, oldest[1])
end
saveTime()
redis.pcall('PUBLISH', channel, hint)
return false
`;

/**
 * Says who is there: the server that this connection leads to, which may be another one than before, or back without its
 * newest entries. The epoch stays for the same server, and for one that returned with everything. KEYS 2: when logs are
 * due. ARGV 10: "new" for a store that has no time yet; 11: the channel of the hints, to which each store that runs
 * listens; 12: most logs to be given. Gives epoch, time, and the logs to look after, which nobody else is given soon.
 */
export const attend = `
local DUE, isNew, hints, most = KEYS[2], ARGV[10] == 'new', ARGV[11], ARGV[12]
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
if isNew then
  if savedTime == 0 then
    now = wall
  elseif call('PUBSUB', 'NUMSUB', hints)[2] == 0 then
    -- Nobody ran meanwhile, so that only the wall clock knows how long.
    now = now + math.max(0, wall - tonumber(was[5] or wall))
  end
end
try('HSET', META, 'time', now, 'wall', wall)
local due = call('ZRANGEBYSCORE', DUE, '-inf', now, 'LIMIT', 0, most)
for _, transaction in ipairs(due) do try('ZADD', DUE, 'XX', now + ${CLAIMED_MS}, transaction) end
return { epoch, now, due }
`;
