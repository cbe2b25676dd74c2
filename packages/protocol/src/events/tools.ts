// What tools there are, and calls of them with progress, approval and result. Spec: §6.

import * as v from 'valibot';
import { id, json, label, notFromHere, object, text } from './shapes.ts';

export const toolListRequest = object({ tools: notFromHere });
export const toolListReply = object({
  tools: v.array(object({ name: label, description: v.optional(text) })),
});

export const toolSchemaRequest = object({ tool: label, schema: notFromHere });
export const toolSchemaReply = object({ tool: label, schema: json });

export const toolCall = object({ call_id: id, tool: label, params: v.optional(v.nullable(json)) });

const callStatus = v.picklist(['QUEUED', 'RUNNING', 'WAITING', 'APPROVED', 'DENIED', 'CANCELLING']);
export const toolUpdate = object({
  call_id: id,
  status: callStatus,
  progress: v.optional(v.number()),
  partial: v.optional(v.nullable(json)),
  ask: v.optional(json),
});

export const toolDone = object({
  call_id: id,
  status: v.optional(v.picklist(['OK', 'CANCELLED', 'ERROR', 'DENIED', 'INTERRUPTED'])),
  result: v.optional(v.nullable(json)),
});

export const toolCancel = object({ call_id: id, reason: v.optional(text) });
