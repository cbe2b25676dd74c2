// Audio: one envelope and its bytes, both or neither. Spec: §6, §7.

import * as v from 'valibot';
import { count, id, mime, object, text } from './shapes.ts';

/** `data` is the bytes in base64 where the transport has no binary frames, or where a v1 peer writes them so. */
export const audio = object({
  message_id: v.optional(id),
  mime: v.optional(mime),
  duration_ms: v.optional(count),
  data: v.optional(text),
});
