// Bugs that the simulator must find, by name: mistakes that somebody could make in these very lines.

import type { HistoryPage, HistoryStore } from '@haip/protocol';
import type { SimulatedParts } from '@haip/testing/simulator';
import type { Bug, Edit } from './plant.ts';

const server = (file: string, text: string, instead: string): Edit => ({
  file: `server-core/src/${file}`,
  text,
  instead,
});
const client = (file: string, text: string, instead: string): Edit => ({
  file: `client-core/src/${file}`,
  text,
  instead,
});
const http = (file: string, text: string, instead: string): Edit => ({
  file: `http-link/src/${file}`,
  text,
  instead,
});
const store = (file: string, text: string, instead: string): Edit => ({
  file: `history-memory/src/${file}`,
  text,
  instead,
});

/** A store whose pages are changed before anybody sees them. */
function pages(change: (page: HistoryPage) => HistoryPage): (parts: SimulatedParts) => SimulatedParts {
  return (parts) => ({
    ...parts,
    store(options) {
      const sound = parts.store(options);
      const read: HistoryStore['read'] = (transaction, range) => {
        const page = sound.read(transaction, range) as HistoryPage | null;
        return page && change(page);
      };
      return { ...sound, read };
    },
  });
}

export const bugs: readonly Bug[] = [
  {
    name: 'no dedup',
    seed: 11,
    edits: [
      store('transaction-log.ts', 'if (known !== undefined) return', 'if (known !== undefined && !known) return'),
    ],
  },
  {
    name: 'dedup forgets',
    seed: 11,
    edits: [store('transaction-log.ts', 'keys.young.add(draft.id,', 'if (position % 3 > 0) keys.young.add(draft.id,')],
  },
  {
    name: 'no order after a reconnect',
    seed: 8,
    edits: [
      client(
        'outbox.ts',
        'for (const item of core.items.values()) {\n    if (item.isSettled) continue;',
        'for (const item of [...core.items.values()].reverse()) {\n    if (item.isSettled) continue;',
      ),
    ],
  },
  {
    name: 'refusal reorders the author',
    seed: 8,
    edits: [
      server(
        'participation.ts',
        'if (blocked !== undefined && keepsOrder(type)) {',
        'if (blocked?.id === id && keepsOrder(type)) {',
      ),
    ],
  },
  {
    name: 'position rule not checked, frames lost',
    seed: 1,
    edits: [
      {
        file: 'protocol/src/sequence.ts',
        text: "return from === read + 1 && from <= to ? 'take' : 'fault';",
        instead: "return 'take';",
      },
      server(
        'reader.ts',
        '    this.#told = this.#cursor;\n    this.#send(frame);',
        '    this.#told = this.#cursor;\n    if (this.#cursor % 11 > 0) this.#send(frame);',
      ),
    ],
  },
  { name: 'gap event skipped', seed: 1, edits: [client('reader.ts', "this.emit('gap', gap);", '')] },
  { name: 'restart event skipped', seed: 1, edits: [client('reader.ts', "this.emit('restart', { epoch });", '')] },
  {
    name: 'gap too short',
    seed: 1,
    edits: [
      server('reader.ts', 'first: String(first), last: String(known)', 'first: String(first + 1), last: String(known)'),
    ],
  },
  {
    name: 'visible before its predecessor',
    seed: 1,
    spoil: pages((page) => ({ ...page, entries: page.entries.length > 1 ? page.entries.slice(1) : page.entries })),
  },
  {
    name: 'trim read as compaction',
    seed: 4,
    edits: [server('reader.ts', 'if (this.#cursor + 1 < stretch.first) this.#tellGap(stretch);', '')],
  },
  { name: 'silent trim', seed: 1, spoil: pages((page) => ({ ...page, first: 1 })) },
  {
    name: 'order by clock',
    seed: 2,
    spoil: pages((page) => ({ ...page, entries: [...page.entries].sort((a, b) => a.ts - b.ts) })),
  },
  {
    name: 'ack before store',
    seed: 2,
    edits: [
      server(
        'participation.ts',
        'this.#underWay = draft.id;',
        'this.#underWay = draft.id;\n    this.settle(submission);',
      ),
    ],
  },
  {
    name: 'unknown taken for stored',
    seed: 8,
    edits: [
      server(
        'participation.ts',
        "this.answer(submission, new Fault('OVERLOADED', { expected: 'the store to answer' }));",
        'this.settle(submission);',
      ),
    ],
  },
  { name: 'ack of another', seed: 1, edits: [client('outbox.ts', 'item.number > upTo)', 'item.number > upTo + 1)')] },
  {
    name: 'read then write',
    seed: 1,
    edits: [
      store(
        'transaction-log.ts',
        'const position = this.window.last + 1;',
        'const position = this.window.last + (this.#lastAt === now && now > 0 ? 0 : 1);',
      ),
    ],
  },
  {
    name: 'older connection not fenced',
    seed: 1,
    edits: [server('session.ts', "live?.close(4409, 'superseded');", '')],
  },
  {
    name: 'stored after the end',
    seed: 11,
    edits: [store('transaction-log.ts', 'if (this.#ended) return afterEnd;', '')],
  },
  {
    name: 'message begun twice',
    seed: 441,
    edits: [
      store(
        'subjects.ts',
        "if (step === 'open') return begun === undefined &&",
        "if (step !== 'part') return true;\n    if (step === 'open') return begun === undefined &&",
      ),
    ],
  },
  {
    name: 'epoch ignored',
    seed: 13,
    edits: [server('verdict.ts', "if (epoch !== log.epoch) return { verdict: 'gap', position: begin };", '')],
  },
  {
    name: 'epoch kept after a rollback',
    seed: 1,
    spoil: (parts) => ({ ...parts, store: (options) => parts.store({ ...options, ids: () => 'e1' }) }),
  },
  {
    name: 'trim during replay untold',
    seed: 1,
    edits: [server('replay.ts', 'if (from < page.first) {', 'if (from < page.first && page.first > page.last) {')],
  },
  {
    name: 'replay skips a page',
    seed: 9,
    edits: [server('replay.ts', '{ next: String(reached + 1) }', '{ next: String(reached + 2) }')],
  },
  {
    name: 'audio split',
    seed: 1,
    edits: [store('entry-rows.ts', 'payload, bytes, related_id, voice', 'payload, undefined, related_id, voice')],
  },
  {
    name: 'stale lease appends',
    seed: 531,
    edits: [
      store('transaction-log.ts', 'if (fence !== undefined && fence !== this.#lease.fence) return staleLease;', ''),
    ],
  },
  {
    name: 'END without its text',
    edits: [
      server(
        'delivery.ts',
        'reader.give(isShort(logged, reader.wholeSince) ?',
        "reader.give(entry.type === 'MESSAGE_END' ?",
      ),
    ],
  },
  {
    name: 'compaction takes the parts of others',
    seed: 563,
    edits: [store('entry-window.ts', 'if (messageIdOf(rows.payload(row)) !== messageId) return false;\n', '')],
  },
  {
    name: 'text that the store refused is never told',
    edits: [server('stream-writer.ts', 'this.#lost ??= { error };', 'void error;')],
  },
  {
    name: 'a run ends well although its text was lost',
    edits: [server('turn.ts', 'return;\n    this.#isTorn = true;', 'return;')],
  },
  {
    name: 'what an agent writes overtakes what it wrote before',
    edits: [server('append-queue.ts', 'if (!this.#queue.idle)', 'if (!this.#queue.idle && drafts.length > 1)')],
  },
  {
    name: 'what gathered is left behind by the end',
    edits: [server('stream-writer.ts', 'this.#log.storeGathered();', '')],
  },
  { name: 'log leak', edits: [server('live-logs.ts', 'this.#held.delete(held.log.transaction);', '')] },
  {
    name: 'permission not checked',
    edits: [server('access.ts', 'return user.id === record.starter ||', 'return true ||')],
  },
  {
    name: 'revoked users stay',
    edits: [server('server.ts', 'if (session.user.shownAt <= before) session.endRights();', 'void session;')],
  },
  {
    name: 'revoked on one node only',
    edits: [server('server.ts', 'await this.#context.history.revoke(user);', '')],
  },
  {
    name: 'retry charged twice',
    edits: [server('memory-ledger.ts', "if (find(name, now) !== undefined) return { kind: 'known', balance };", '')],
  },
  {
    name: 'below zero',
    edits: [server('memory-ledger.ts', "if (amount > balance) return { kind: 'refused', balance };", '')],
  },
  {
    name: 'run of a dead server left open',
    edits: [
      server(
        'closing.ts',
        'for (const id of runs.keys()) drafts.push(pen.draft({ type: ending.type, payload: ending.payload }, id));',
        '',
      ),
    ],
  },
  {
    name: 'started twice',
    edits: [
      store('transactions.ts', 'if (known !== undefined) return { record: known.record, epoch, created: false };', ''),
    ],
  },
  {
    name: 'receipt for a retry',
    edits: [
      server(
        'participation.ts',
        "} else if (outcome?.kind === 'repeat') {",
        "} else if (outcome?.kind === 'repeat') {\n      this.#own.add(outcome.position);",
      ),
    ],
  },
  {
    name: 'cursor moves before the application has it',
    edits: [
      client(
        'reader.ts',
        'this.read = position;\n    this.conversation = reduce',
        'this.read = position;\n    this.#position = position;\n    this.conversation = reduce',
      ),
    ],
  },
  {
    name: 'sent again under a new id',
    edits: [client('session.ts', 'id: id ?? ids(),', 'id: id && this.#number % 5 > 0 ? id : ids(),')],
  },
  { name: 'notice during a read forgotten', seed: 1, edits: [server('live-log.ts', 'this.#again = true;', '')] },
  {
    name: 'silence never noticed',
    edits: [client('heartbeat.ts', 'if (asked) return dead();', 'if (asked) asked = false;')],
  },
  {
    name: 'nothing written once the link drained',
    edits: [client('session.ts', 'flush(this.#core);', '')],
  },
  {
    name: 'cursors not brought on resume',
    edits: [client('session.ts', 'resume: resume[0] && resume,', '')],
  },
  {
    name: 'message kept open that was trimmed',
    edits: [
      server('log-state.ts', 'if (start <= to) this.streams.delete(id);', 'if (start > to) this.streams.delete(id);'),
    ],
  },
  {
    name: 'window leak',
    edits: [client('windows.ts', 'window.messages--;', 'if (window.messages % 3 > 0) window.messages--;')],
  },
  // Only links over HTTP can show these.
  {
    name: 'a POST that came again is taken again',
    seed: 6,
    edits: [
      server('intake.ts', "if (verdict === 'repeat') {", "if (verdict === 'repeat') return true;\n    if (!verdict) {"),
    ],
  },
  {
    name: 'address not forgotten',
    seed: 4,
    edits: [http('links.ts', 'void joined.link.closed.then(() => this.#open.delete(address));', '')],
  },
  {
    name: 'what gathers behind a POST stays',
    seed: 372,
    edits: [
      http(
        'client-posts.ts',
        'while (this.isOpen && (this.#lines.length > 0 || this.#signOfLife)) await this.#post();',
        'if (this.isOpen && (this.#lines.length > 0 || this.#signOfLife)) await this.#post();',
      ),
    ],
  },
  // Only several nodes can show these.
  {
    name: 'older connection elsewhere not ended',
    edits: [
      server('session.ts', 'if (welcome.isResumed) this.context.nodes.came(', 'if (!welcome) this.context.nodes.came('),
    ],
  },
  {
    name: 'any word of a session ends it',
    edits: [server('nodes.ts', 'if (isOlder({ attempt, hai }, other)) live', 'if (attempt >= 0) live')],
  },
  {
    name: 'a POST for another node goes nowhere',
    edits: [
      http(
        'endpoint.ts',
        'answerPost(exchange, await toOwner(body, isOneEnvelope), headers);',
        'answerPost(exchange, { status: 202, taken: linesOf(body, isOneEnvelope).length }, headers);',
      ),
    ],
  },
  {
    name: 'a POST that nobody has is taken',
    edits: [http('handover.ts', 'isHeld ? late : notFound', 'isHeld ? late : { status: 202, taken: 1 }')],
  },
  {
    name: 'the answer to another POST',
    edits: [http('handover.ts', 'word && this.#asked.get(word.id)', 'word && [...this.#asked.values()][0]')],
  },
  {
    name: 'closed before all is stored',
    edits: [server('shutdown.ts', '.then(() => logs.gone())', '')],
  },
  {
    name: 'two owners of a lease',
    edits: [store('transaction-log.ts', 'if (held.until > now) return null;', '')],
  },
  { name: 'a line cut in two is lost', seed: 15, edits: [http('line-reader.ts', 'pieces = [rest];', 'pieces = [];')] },
  // Only a move can show these.
  {
    name: 'nothing read after a move',
    seed: 4,
    edits: [client('client.ts', 'of session.takeOver ? cursorsOf(core) : []', 'of session.takeOver ? [] : []')],
  },
  {
    name: 'the old connection kept after a move',
    seed: 29,
    edits: [
      client(
        'connection-loop.ts',
        "this.#lead?.end('resume', new ClientError('moved', 'The session was moved.'));",
        '',
      ),
    ],
  },
  {
    name: 'fenced by itself for good',
    seed: 4,
    edits: [client('session.ts', 'this.#attempt < this.#core.attempt', 'this.#attempt > this.#core.attempt')],
  },
  // What the simulator itself found once in these sources, put back.
  {
    name: 'a LEAVE that was read goes again',
    edits: [client('reader.ts', "item.isSettled || item.type === 'TRANSACTION_LEAVE'", 'item.isSettled')],
  },
  {
    name: 'no body for the JOIN of a move',
    seed: 164,
    edits: [client('client.ts', 'core.items.set(id, { ...join, isSettled: true });', '')],
  },
  {
    name: 'no body for what was under way when one left',
    seed: 8,
    edits: [
      client(
        'outbox.ts',
        'if (item.isSettled) remove(core, item);',
        'if (item.isSettled || item.number) remove(core, item);',
      ),
    ],
  },
  {
    name: 'of two with one HAI the one judged last lives',
    seed: 391,
    edits: [server('session.ts', 'this.attempt === attempt ? this.#number > number : this', 'this')],
  },
  {
    name: 'a cursor that could not be taken is forgotten',
    edits: [client('receive.ts', "return session.end('resume', error);", '{}')],
  },
  {
    name: 'LEAVE of what has ended is refused',
    edits: [
      server('participation.ts', "envelope.type === 'TRANSACTION_LEAVE' && fault", "envelope.type === 'NONE' && fault"),
    ],
  },
  {
    name: 'taken back although nobody knows',
    edits: [
      client(
        'outbox.ts',
        'const isUnknown = item.isEntry && item.writtenAt && !isRefused;',
        'const isUnknown = item.isEntry && item.writtenAt && !refusedBy;',
      ),
    ],
  },
  {
    name: 'two joins at once',
    edits: [
      client(
        'client.ts',
        'for (let other = joining.get(id); other; other = joining.get(id)) await orAborted(other, signal);',
        '',
      ),
    ],
  },
  {
    name: 'a page of another log',
    edits: [server('replay.ts', 'if (page.epoch !== (reader ?? log).epoch) {', "if (page.epoch === '') {")],
  },
  {
    name: 'what comes live is taken for a page',
    edits: [
      client(
        'receive.ts',
        'if (page && position <= (reader ?? page.asker).read) {',
        'if (page && !(reader && position > reader.read)) {',
      ),
    ],
  },
  {
    name: 'a debit that another node stored with is given back',
    edits: [server('charges.ts', "outcome.position <= charge.last ? 'unwanted' : 'kept'", "'unwanted'")],
  },
  {
    name: 'a log let go with a write under way',
    edits: [server('lanes.ts', 'if (queue.idle) release();\n    else queue.push(release);', 'release();')],
  },
  {
    name: 'what was allowed before leaving counts',
    edits: [
      server(
        'lanes.ts',
        "if (envelope.type === 'TRANSACTION_JOIN' && !lane.participation?.reader) lane.sending = undefined;",
        '',
      ),
    ],
  },
  {
    name: 'an own cancel on another channel',
    edits: [client('entry.ts', '/^(MESSAGE|AUDIO|TOOL_|RUN_)/', '/^(MESSAGE|AUDIO|TOOL_)/')],
  },
  {
    name: 'a run whose beginning was trimmed is not closed',
    edits: [server('log-state.ts', '    this.#inferRun(entry);\n', '')],
  },
];
