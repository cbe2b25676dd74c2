// Loads the vectors of spec/vectors, and reads an input the way a peer of this package does: codec, then registry.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { checkFromClient, currentName, decode, type Envelope, eventType, Fault } from '../src/index.ts';

export const specFolder: string = join(import.meta.dirname, '../../../spec');

type Side = 'client' | 'server';

export interface ValidVector {
  readonly name: string;
  readonly from: Side;
  /** What the input reads as; without `text` also the input. */
  readonly envelope: Envelope;
  readonly text?: string;
  readonly bytes_base64?: string;
}

export interface InvalidVector {
  readonly name: string;
  readonly from: Side;
  readonly text?: string;
  /** For inputs too long to print: `before`, then `text` so many times, then `after`. */
  readonly repeat?: { readonly before: string; readonly text: string; readonly times: number; readonly after: string };
  readonly fault: { readonly code: string; readonly related_id?: string; readonly close?: number };
}

/** Every vector of a folder, with its file in front of its name. */
export function loadVectors<Vector extends { readonly name: string }>(folder: string): Vector[] {
  const path = join(specFolder, 'vectors', folder);
  return readdirSync(path)
    .sort()
    .flatMap((file) => {
      const vectors = JSON.parse(readFileSync(join(path, file), 'utf8')) as Vector[];
      return vectors.map((vector) => ({ ...vector, name: `${file.replace('.json', '')}: ${vector.name}` }));
    });
}

export function textOf({ text, repeat }: InvalidVector): string {
  return text ?? `${repeat?.before}${repeat?.text.repeat(repeat.times)}${repeat?.after}`;
}

/** What a server makes of a client's text, or a client of a server's: an envelope whose payload fits, or a fault. */
export function read(text: string, from: Side): Envelope | Fault {
  const envelope = decode(text);
  if (envelope instanceof Fault) return envelope;
  const event = eventType(currentName(envelope.type) ?? envelope.type);
  if (event === undefined) {
    return envelope.crit === true ? new Fault('UNSUPPORTED_TYPE', { relatedId: envelope.id }) : envelope;
  }
  if (from === 'client') return checkFromClient(envelope, event) ?? envelope;
  const fits = event.server !== undefined && v.is(event.server, envelope.payload);
  return fits ? envelope : new Fault('PROTOCOL_VIOLATION', { relatedId: envelope.id });
}

/** An envelope with everything that is due and nothing else; `change` replaces or adds. */
export function envelopeWith(change: Record<string, unknown> = {}): Envelope {
  const base = {
    id: 'm-1',
    transaction: 't-1',
    session: 's-1',
    seq: '2',
    ts: '1790000000000',
    channel: 'USER',
    type: 'MESSAGE',
    payload: 'Hello',
  };
  return { ...base, ...change };
}

/** The text of an envelope with `json` as its payload, as written: what JSON.stringify would not write can be shown too. */
export function withPayload(json: string): string {
  return JSON.stringify(envelopeWith()).replace('"Hello"', () => json);
}

/** What the codec says of a text: a fault's code, or `fine`. */
export function codeOf(text: string): string {
  const answer = decode(text);
  return answer instanceof Fault ? answer.code : 'fine';
}
