// Messages about the connection itself; none of them is stored. Spec: §2, §5, §6.

import * as v from 'valibot';
import { count, decimal, id, json, jsonObject, label, object, text, wrongWay } from './shapes.ts';

const flowControl = object({
  initial_credit_messages: v.optional(count),
  initial_credit_bytes: v.optional(count),
});

const capabilities = object({
  binary_frames: v.optional(v.boolean()),
  flow_control: v.optional(v.union([v.boolean(), flowControl])),
  max_concurrent_runs: v.optional(count),
  transaction_log: v.optional(v.boolean()),
});

const haiBase = {
  haip_version: v.optional(label),
  accept_major: v.optional(v.pipe(v.array(count), v.maxLength(16))),
  accept_events: v.optional(v.pipe(v.array(label), v.maxLength(256))),
  capabilities: v.optional(capabilities),
};

/** One cursor of a client that has been here before. */
const resumeItem = object({ transaction: id, epoch: v.optional(id), seq: v.optional(decimal) });

export const haiFromClient = object({
  ...haiBase,
  auth: v.optional(json),
  resume_token: v.optional(v.pipe(v.string(), v.maxLength(1024))),
  attempt: v.optional(decimal),
  resume: v.optional(v.pipe(v.array(resumeItem), v.maxLength(100))),
});

export const haiFromServer = object({
  ...haiBase,
  limits: v.optional(jsonObject),
  retry_within_ms: v.optional(count),
  resume_token: v.optional(text),
  /** What the user may spend, where messages cost credit. */
  credits: v.optional(v.number()),
});

/** A PONG repeats what its PING carried. */
export const ping = jsonObject;

const serverKinds: ReadonlySet<string> = new Set(['receipt', 'ack', 'position', 'replayed', 'balance']);

/** Kinds that nobody knows are ignored, so any but the server's own may be written. */
export const infoFromClient = object({
  kind: v.pipe(
    label,
    v.check((kind) => !serverKinds.has(kind), wrongWay),
  ),
});
/** The INFO that ends a page of replay. */
const replayed = object({ kind: v.literal('replayed'), first: decimal, to: decimal, next: v.optional(decimal) });
const otherInfo = object({
  kind: v.pipe(
    label,
    v.check((kind) => kind !== 'replayed', 'another kind'),
  ),
});

export const infoFromServer = v.union([replayed, otherInfo]);

export const error = object({
  code: label,
  message: v.optional(text),
  retry: v.optional(v.boolean()),
  retry_after_ms: v.optional(count),
  expected: v.optional(text),
  got: v.optional(text),
});

export const flowUpdate = object({
  channel: v.optional(label),
  add_messages: v.optional(count),
  add_bytes: v.optional(count),
});

export const channelSwitch = object({ channel: label });
