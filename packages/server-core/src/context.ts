import type { Authenticator, Clock, HistoryStore, Ids, Logger, Signer } from '@haip/protocol';
import type { Addresses } from './addresses.ts';
import type { Charges } from './charges.ts';
import type { ServerLimits } from './limits.ts';
import type { LiveLogs } from './live-logs.ts';
import type { Nodes } from './nodes.ts';
import type { Revocations } from './revocations.ts';
import type { Session } from './session.ts';
import type { Toolbox } from './toolbox.ts';
import type { TurnSlots } from './turn-slots.ts';
import type { Users } from './users.ts';

/** What every part of one server shares. Nothing else reaches outside. */
export interface ServerContext {
  readonly clock: Clock;
  readonly ids: Ids;
  /** Runs a job, which must not throw, once nothing of this turn waits for a promise any more. */
  readonly endOfTurn: (job: () => void) => void;
  readonly log: Logger;
  readonly signer: Signer;
  readonly history: HistoryStore;
  readonly limits: ServerLimits;
  readonly toolbox: Toolbox;
  readonly logs: LiveLogs;
  readonly slots: TurnSlots;
  /** The live session of each session id: one at most. */
  readonly sessions: Map<string, Session>;
  /** The others that share the store. */
  readonly nodes: Nodes;
  readonly addresses: Addresses;
  readonly users: Users;
  readonly revocations: Revocations;
  /** Undefined where nobody pays for anything. */
  readonly charges: Charges | undefined;
  authenticator(): Authenticator | undefined;
}
