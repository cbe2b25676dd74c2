// What every script begins with: the store's epoch, its time, and a log's state as it lies in Redis. Keys come from
// KEYS, everything else from ARGV; nothing in an id ever becomes a name here. Spec: §3, §4.

import { OVERHEAD } from '@haip/history-engine';

/** How the keys are laid out. A store that finds another number leaves them alone. */
export const FORMAT = '1';

/**
 * ARGV 1–9 are the same for all: who asks (epoch to begin, and the server it is connected to), its time, its wall clock or
 * "" for that of Redis, and the limits. KEYS[1] is the store's own key.
 */
export const common = `
local call = redis.call
local META = KEYS[1]
local now = tonumber(ARGV[2])
local windowSize, windowTime, maxBytes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local keyTtl, recordTtl = tonumber(ARGV[7]), tonumber(ARGV[8])

local KEPT = ARGV[9]

local function wallTime()
  if ARGV[3] ~= '' then return tonumber(ARGV[3]) end
  local at = call('TIME')
  return at[1] * 1000 + math.floor(at[2] / 1000)
end

-- What was acknowledged before may be lost: nothing of it is to be mistaken for what comes. Fences rise over it, too,
-- as one that was given may be among what is lost.
local function beginEpoch()
  local id, run, replica, evicted, isSure = string.match(ARGV[1], '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  local at = call('TIME')
  local epoch = string.format('%s.%d%06d', id, at[1], at[2])
  local ms = at[1] * 1000 + math.floor(at[2] / 1000)
  local fences = math.max(ms, tonumber(call('HGET', META, 'fences') or 0) + 1000000)
  call('HSET', META, 'format', '${FORMAT}', 'epoch', epoch, 'fences', fences,
    'run', run, 'replica', replica, 'evicted', evicted, 'sure', isSure)
  call('HSETNX', META, 'serial', ms)
  return epoch
end

local meta = call('HMGET', META, 'epoch', 'time')
local epoch = meta[1] or beginEpoch()
local savedTime = tonumber(meta[2] or 0)
-- Time never goes back, whoever asks.
if savedTime > now then now = savedTime end

local function saveTime()
  if now - savedTime >= 1000 then call('HSET', META, 'time', now, 'wall', wallTime()) end
end

-- Should nobody look after logs any more, Redis itself lets go of them; twice as late as need be, as its clock may jump.
-- Only a new key has no end yet.
local function put(key, field, value)
  if call('HSET', key, field, value) == 1 and call('HLEN', key) == 1 then call('PEXPIRE', key, KEPT) end
end

-- A log's state. Nothing for one not known, or so old that its record may go (then the second answer is true).
local function openLog(key, entries, young, old)
  local got = call('HMGET', key, 's', 'e', 'l')
  if not got[1] then return nil, false end
  local s = cmsgpack.unpack(got[1])
  if now - s[6] >= recordTtl then return nil, true end
  return {
    key = key, entries = entries, young = young, old = old, isEnded = got[2] and true, lease = got[3], subjects = {},
    first = s[1], last = s[2], messages = s[3], bytes = s[4], frontAt = s[5], lastAt = s[6], serial = s[7],
    turnedAt = s[8], oldPosition = s[9], oldAt = s[10], ownAt = s[11], due = s[12], ttlAt = s[13],
    deleted = s[14],
  }
end

local function saveLog(log)
  call('HSET', log.key, 's', cmsgpack.pack({
    log.first, log.last, log.messages, log.bytes, log.frontAt, log.lastAt, log.serial,
    log.turnedAt, log.oldPosition, log.oldAt, log.ownAt, log.due, log.ttlAt, log.deleted,
  }))
end
`;

/** The runs, calls, approvals and message streams of a log: open ones beside its state, ended ones among the ids. */
export const subjects = `
local function subjectOf(log, key)
  local known = log.subjects[key]
  if known ~= nil then return known end
  local home, packed = log.key, call('HGET', log.key, 'o:' .. key)
  if not packed then home, packed = log.young, call('HGET', log.young, 's:' .. key) end
  if not packed then home, packed = log.old, call('HGET', log.old, 's:' .. key) end
  local subject = false
  if packed then
    local s = cmsgpack.unpack(packed)
    subject = { key = key, home = home, state = s[1], owner = s[2], isStream = s[3], inner = s[4], last = s[5], entries = s[6] }
  end
  log.subjects[key] = subject
  return subject
end

local function saveSubject(log, subject)
  local s = subject
  local packed = cmsgpack.pack({ s.state, s.owner, s.isStream, s.inner, s.last, s.entries })
  if s.state == 'open' then
    call('HSET', log.key, 'o:' .. s.key, packed)
    s.home = log.key
    return
  end
  -- Its end is what must be remembered as long as the window reaches back to it.
  if s.home == log.key then call('HDEL', log.key, 'o:' .. s.key) end
  if s.home ~= log.old then s.home = log.young end
  put(s.home, 's:' .. s.key, packed)
end
`;

/** What goes from the front of a window: as planTrim of @haip/history-engine, which says why. */
export const windows = `
-- The slots of a window by their place, read from Redis as far as they are looked at.
local function slotsOf(log)
  local slots, from, chunk, isAll = {}, log.first, 1, false
  return function(i)
    while slots[i] == nil and not isAll do
      local got = call('XRANGE', log.entries, from .. '-0', '+', 'COUNT', chunk)
      for _, item in ipairs(got) do
        local position = tonumber(string.match(item[1], '^%d+'))
        local at, size, stream = string.match(item[2][2], '^(%S+) (%S+) (%S*)$')
        local subject = stream ~= '' and subjectOf(log, stream) or nil
        slots[#slots + 1] = { position = position, at = tonumber(at), size = tonumber(size), stream = subject }
        from = position + 1
      end
      isAll = #got < chunk
      chunk = math.min(chunk * 4, 16)
    end
    return slots[i]
  end
end

-- The last place that goes when the one at the front does; nil while an open stream stands in the way.
local function unitEnd(log, slotAt, front)
  local to = slotAt(front).position
  local i = front
  while true do
    local slot = slotAt(i)
    if slot == nil or slot.position > to then return i - 1 end
    local stream = slot.stream
    if stream and stream.state ~= 'whole' then
      if stream.state == 'open' and not log.isEnded then return nil end
      to = math.max(to, stream.last)
    end
    if slot.position >= to then return i end
    i = i + 1
  end
end

local function drop(plan, slot)
  plan.first = slot.position + 1
  plan.bytes = plan.bytes - slot.size - ${OVERHEAD}
  local stream = slot.stream
  if not stream then
    plan.messages = plan.messages - 1
    return
  end
  local left = (plan.left[stream] or stream.entries) - 1
  plan.left[stream] = left
  if left == 0 then plan.messages = plan.messages - 1 end
end

-- By time nothing goes before frontAt + windowTime: then nothing needs to be looked at.
local function mayTrim(window)
  if window.frontAt < 0 then return false end
  return window.messages > windowSize or window.bytes > maxBytes or now - window.frontAt >= windowTime
end

-- Where the window begins now; nil when nothing goes.
local function planTrim(log)
  if not mayTrim(log) then return nil end
  local plan = { first = log.first, messages = log.messages, bytes = log.bytes, frontAt = log.frontAt, left = {} }
  local slotAt, front = slotsOf(log), 1
  while mayTrim(plan) do
    local slot = slotAt(front)
    if slot == nil then
      plan.frontAt = -1
      return plan
    end
    plan.frontAt = slot.at
    local isHeavy = plan.bytes > maxBytes and slotAt(front + 1) ~= nil
    local isFull = isHeavy or plan.messages > windowSize
    if not isFull and now - slot.at < windowTime then return plan end
    local last = unitEnd(log, slotAt, front)
    if last == nil then
      -- Somebody could hold a stream open for ever: what is kept is bounded all the same.
      if not isHeavy then return plan end
      drop(plan, slot)
      front = front + 1
    else
      if not isFull and now - slotAt(last).at < windowTime then
        plan.frontAt = slotAt(last).at
        return plan
      end
      while front <= last do
        drop(plan, slotAt(front))
        front = front + 1
      end
    end
  end
  return plan
end

local function trim(log)
  local plan = planTrim(log)
  if plan == nil then return end
  if plan.first > log.first then call('XTRIM', log.entries, 'MINID', plan.first .. '-0') end
  for stream, left in pairs(plan.left) do
    stream.entries = left
    saveSubject(log, stream)
  end
  log.first, log.messages, log.bytes, log.frontAt = plan.first, plan.messages, plan.bytes, plan.frontAt
end
`;
