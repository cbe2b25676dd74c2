// A turn of an agent that does more than one reply. Spec: §6.

import * as v from 'valibot';
import { count, id, label, object, text } from './shapes.ts';

export const runStarted = object({ run_id: v.optional(id) });
const runStatus = v.picklist(['OK', 'CANCELLED', 'INTERRUPTED']);
export const runFinished = object({ status: runStatus, summary: v.optional(text) });
export const runCancel = object({ run_id: id, heard_ms: v.optional(count) });
export const runError = object({ code: label, message: v.optional(text) });
