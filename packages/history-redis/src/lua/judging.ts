// Says of each draft whether it is stored, a repeat or refused, in the order of the contract, and stores it: as
// judgeDrafts of @haip/history-engine, where positions are given. Spec: §3, §6, invariants 1, 3 and 16.

import { OVERHEAD } from '@haip/history-engine';

/** How many arguments a draft takes: see {@link judging}. */
const DRAFT_ARGS = 13;

/** How many of the agent's newest ids are remembered at least, and for how long: its server tries again at once. */
const AGENT_IDS = 1024;
const AGENT_IDS_MS = 10_000;

/** After so long without an entry what only an active log needs is let go of. */
const IDLE_MS = 60_000;
/** How often a log that is not trimmed when it is due is looked at, in parts of its window's time. */
const ROUNDS = 16;
/** Rewriting a log holds up everybody else: so much takes a few milliseconds. */
const MOST_REWRITTEN = 2 * 2 ** 20;

/**
 * KEYS 2–8: the log, its entries, its younger and older ids, the agent's younger and older ids, and when logs are due
 * to be looked after. ARGV 10: the transaction, as keys name it; 11 and 12: where and with what others are told.
 */
export const judging = `
local OWN, OWN_OLD, DUE = KEYS[6], KEYS[7], KEYS[8]
local TRANSACTION = ARGV[10]

local function draftAt(i)
  return {
    id = ARGV[i], author = ARGV[i + 1], digest = ARGV[i + 2], flags = ARGV[i + 3], ts = ARGV[i + 4], size = ARGV[i + 5],
    subject = ARGV[i + 6], step = ARGV[i + 7], owner = ARGV[i + 8], within = ARGV[i + 9], list = ARGV[i + 10],
    body = ARGV[i + 11], bytes = ARGV[i + 12],
  }
end

local function has(draft, flag)
  return string.find(draft.flags, flag, 1, true) ~= nil
end

local function placeOf(log, draft)
  if has(draft, 'a') then return call('HGET', OWN, draft.id) or call('HGET', OWN_OLD, draft.id) end
  local field = 'k:' .. draft.id .. ' ' .. draft.author
  return call('HGET', log.young, field) or call('HGET', log.old, field)
end

local function notePlace(log, draft, position)
  local place = position .. ' ' .. draft.digest
  if not has(draft, 'a') then
    put(log.young, 'k:' .. draft.id .. ' ' .. draft.author, place)
    return
  end
  -- Kept like a user's, the parts of compacted answers would outweigh the log.
  if call('HLEN', OWN) >= ${AGENT_IDS} and now - log.ownAt >= ${AGENT_IDS_MS} then
    call('UNLINK', OWN_OLD)
    call('RENAME', OWN, OWN_OLD)
    log.ownAt = now
  end
  put(OWN, draft.id, place)
end

local function allows(log, draft)
  local subject = subjectOf(log, draft.subject)
  if draft.step == 'open' then
    if subject then return false end
    if draft.within == '' then return true end
    local outer = subjectOf(log, draft.within)
    return outer and outer.state == 'open'
  end
  if not subject or subject.state ~= 'open' then return false end
  return not subject.owner or draft.owner == '' or subject.owner == draft.owner
end

local function close(log, subject, isWhole)
  subject.state = subject.isStream and (isWhole and 'whole' or 'torn') or 'ended'
  log.changed[subject] = true
end

local function note(log, draft, position)
  local subject = subjectOf(log, draft.subject)
  if draft.step == 'open' then
    local owner = draft.owner ~= '' and draft.owner
    subject = { key = draft.subject, state = 'open', owner = owner, isStream = has(draft, 's'), inner = false, entries = 0 }
    log.subjects[draft.subject] = subject
    local outer = draft.within ~= '' and subjectOf(log, draft.within)
    if outer then
      outer.inner = draft.subject
      log.changed[outer] = true
    end
  end
  subject.last = position
  log.changed[subject] = true
  if draft.step == 'end' then
    close(log, subject, has(draft, 'w'))
    local inner = subject.inner and subjectOf(log, subject.inner)
    if inner and inner.state == 'open' then close(log, inner, false) end
  end
  return subject
end

local function join(log, list, member)
  local members = call('HGET', log.key, 'm')
  if string.find(members, ' ' .. member .. ' ', 1, true) then return end
  call('HSET', log.key, 'm', members .. member .. ' ')
  call('ZADD', list, log.serial, TRANSACTION)
end

local function store(log, draft)
  local position = log.last + 1
  local subject = draft.subject ~= '' and note(log, draft, position)
  local stream = subject and subject.isStream and subject
  if stream then stream.entries = stream.entries + 1 end
  if not stream or stream.entries == 1 then log.messages = log.messages + 1 end
  local head = now .. ' ' .. draft.size .. ' ' .. (stream and stream.key or '')
  if has(draft, 'b') then
    call('XADD', log.entries, position .. '-0', 'h', head, 'b', draft.body, 'x', draft.bytes)
  else
    call('XADD', log.entries, position .. '-0', 'h', head, 'b', draft.body)
  end
  notePlace(log, draft, position)
  log.last, log.lastAt = position, now
  log.bytes = log.bytes + tonumber(draft.size) + ${OVERHEAD}
  if log.frontAt < 0 then log.frontAt = now end
  if has(draft, 'e') then
    call('HSET', log.key, 'e', draft.ts)
    log.isEnded = true
  end
  if draft.list ~= '' then join(log, KEYS[tonumber(draft.list)], draft.author) end
  return position
end

local function judge(log, draft, isFenced)
  local place = placeOf(log, draft)
  if place then return 'repeat ' .. place end
  if not isFenced then return 'lease' end
  if log.isEnded then return 'ended' end
  if draft.subject ~= '' and not allows(log, draft) then return 'subject' end
  return store(log, draft)
end

-- Forgets ids and ended subjects that neither the window nor a retry needs: the older book of two, as a whole.
local function forget(log)
  if now - log.turnedAt < keyTtl / 16 then return end
  log.turnedAt = now
  if log.oldPosition >= log.first or log.oldAt > now - keyTtl then return end
  call('UNLINK', log.old)
  if call('EXISTS', log.young) == 1 then call('RENAME', log.young, log.old) end
  log.oldPosition, log.oldAt = log.last, now
end

local function schedule(log, at)
  log.due = at
  call('ZADD', DUE, at, TRANSACTION)
end

-- Puts the end of all its keys off.
local function keep(log)
  if now - log.ttlAt < recordTtl / 8 then return end
  log.ttlAt = now
  for i = 2, 7 do call('PEXPIRE', KEYS[i], KEPT) end
end

-- Judges the drafts from ARGV[i] on, and tells others when one was stored. Gives what became of each.
local function appendAll(log, i, isFenced)
  if log.lastAt > now then now = log.lastAt end
  log.changed = {}
  local last, outcomes = log.last, {}
  for at = i, #ARGV, ${DRAFT_ARGS} do outcomes[#outcomes + 1] = judge(log, draftAt(at), isFenced) end
  if log.last == last then return outcomes end
  for subject in pairs(log.changed) do saveSubject(log, subject) end
  trim(log)
  forget(log)
  keep(log)
  local soon = math.min(windowTime, ${IDLE_MS})
  if log.due > now + 2 * soon then schedule(log, now + soon) end
  saveLog(log)
  saveTime()
  -- A hint only: should it be forbidden, the drafts are stored all the same.
  redis.pcall('PUBLISH', ARGV[11], ARGV[12])
  return outcomes
end
`;

/** ARGV 13: the fence, or "". Then the drafts; KEYS from 9 on are the lists of those who join. */
export const append = `
local log = openLog(KEYS[2], KEYS[3], KEYS[4], KEYS[5])
if log == nil then return false end
local fence = ARGV[13]
local isFenced = fence == ''
if not isFenced and log.lease then
  local lease = cmsgpack.unpack(log.lease)
  isFenced = lease[1] == epoch and lease[2] == tonumber(fence)
end
return appendAll(log, 14, isFenced)
`;

/**
 * KEYS 9 and 10: the starter's list and references. ARGV 13: the record; 14: its reference; 15: the starter; 16: a
 * transaction that has that reference and is gone, or "". Then the first draft.
 */
export const create = `
local LIST, REFERENCES = KEYS[9], KEYS[10]
local record, reference, starter, gone = ARGV[13], ARGV[14], ARGV[15], ARGV[16]
local known = call('HGET', REFERENCES, reference)
if known and known ~= gone then return { 'known', epoch, known } end
if call('EXISTS', KEYS[2]) == 1 then return { 'taken', epoch } end
local serial = call('HINCRBY', META, 'serial', 1)
local log = {
  key = KEYS[2], entries = KEYS[3], young = KEYS[4], old = KEYS[5], isEnded = false, lease = false, subjects = {},
  first = 1, last = 0, messages = 0, bytes = 0, frontAt = -1, lastAt = now, serial = serial,
  turnedAt = 0, oldPosition = 0, oldAt = 0, ownAt = 0, due = 0, ttlAt = 0, deleted = 0,
}
call('HSET', log.key, 'r', record, 'm', ' ' .. starter .. ' ')
call('HSET', REFERENCES, reference, TRANSACTION)
call('ZADD', LIST, serial, TRANSACTION)
schedule(log, now + math.min(windowTime, ${IDLE_MS}))
return { 'created', epoch, appendAll(log, 17, true)[1] }
`;

/** A stream's pieces hold the memory of what was deleted from them: compacted answers would take five times what they are. */
const rewriting = `
local function rewrite(log)
  if log.deleted < call('XLEN', log.entries) or log.bytes > ${MOST_REWRITTEN} then return end
  local all = call('XRANGE', log.entries, '-', '+')
  call('UNLINK', log.entries)
  for _, item in ipairs(all) do call('XADD', log.entries, item[1], unpack(item[2])) end
  call('PEXPIRE', log.entries, KEPT)
  log.deleted = 0
end
`;

/**
 * Trims one log that is due, and says when it is due again. Gives the record and the members of one that is to go.
 */
export const tidy = `${rewriting}
local log, isOver = openLog(KEYS[2], KEYS[3], KEYS[4], KEYS[5])
if isOver then return call('HMGET', KEYS[2], 'r', 'm') end
if log == nil then
  call('ZREM', DUE, TRANSACTION)
  return false
end
local idle = now - log.lastAt
trim(log)
if log.frontAt < 0 and idle >= keyTtl then
  for i = 3, 7 do call('UNLINK', KEYS[i]) end
  log.ttlAt, log.deleted = 0, 0
  schedule(log, log.lastAt + recordTtl)
else
  forget(log)
  local due = log.lastAt + keyTtl
  if log.frontAt >= 0 then due = math.max(log.frontAt + windowTime, now + windowTime / ${ROUNDS}) end
  if idle < ${IDLE_MS} then
    due = math.min(due, log.lastAt + ${IDLE_MS})
  else
    call('UNLINK', OWN, OWN_OLD)
    rewrite(log)
  end
  schedule(log, math.max(due, now + 1000))
end
saveLog(log)
return false
`;

/**
 * Takes a transaction away, all of it. KEYS 9: the starter's references; from 10 on the lists of its members. ARGV 13:
 * the reference; 14: the members as they were when its keys were named.
 */
export const remove = `
local REFERENCES, reference, members = KEYS[9], ARGV[13], ARGV[14]
local _, isOver = openLog(KEYS[2], KEYS[3], KEYS[4], KEYS[5])
if not isOver or call('HGET', KEYS[2], 'm') ~= members then return false end
for i = 2, 7 do call('UNLINK', KEYS[i]) end
if call('HGET', REFERENCES, reference) == TRANSACTION then call('HDEL', REFERENCES, reference) end
for i = 10, #KEYS do call('ZREM', KEYS[i], TRANSACTION) end
call('ZREM', DUE, TRANSACTION)
return false
`;
