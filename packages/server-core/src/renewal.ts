// A later HAI on an open connection: renews what the same user may do and for how long, and nothing else. Until it is
// granted the old rights hold; refused, they run out as they would have. Spec: §2; attacks A37, A38.

import { type Envelope, Fault, type PeerInfo } from '@haip/protocol';
import type { KnownUser } from './authentication.ts';
import { haiPayload, judgeHai, type Welcome } from './handshake.ts';
import type { Session } from './session.ts';
import { Stop } from './stop.ts';

export class Renewal {
  readonly #session: Session;
  readonly #info: PeerInfo;
  readonly #granted: (user: KnownUser) => void;
  #lastId: string;
  #asking: Stop | undefined;

  /** @param firstId the HAI that opened the connection; the same one again is no other. */
  constructor(session: Session, info: PeerInfo, firstId: string, granted: (user: KnownUser) => void) {
    this.#session = session;
    this.#info = info;
    this.#lastId = firstId;
    this.#granted = granted;
  }

  /** The connection has ended. */
  end(): void {
    this.#asking?.stop(new Error('the connection has ended'));
  }

  ask(hai: Envelope): void {
    const session = this.#session;
    if (hai.id === this.#lastId) return session.done(hai);
    if (this.#asking !== undefined) return session.close(4429, 'a HAI while another is pending');
    const barred = session.guest?.barred();
    if (barred !== undefined) return session.reject(hai, barred);
    this.#lastId = hai.id;
    this.#asking = new Stop();
    judgeHai(session.context, hai, this.#info, this.#asking, session.id)
      .then((verdict) => {
        this.#asking = undefined;
        if (session.isOpen) this.#take(hai, verdict);
      })
      .catch((error: unknown) => session.fail(error));
  }

  #take(hai: Envelope, verdict: Welcome | Fault): void {
    const session = this.#session;
    session.guest?.judged(verdict);
    if (verdict instanceof Fault) return session.reject(hai, verdict);
    if (verdict.user.id !== session.user.id) {
      session.reject(hai, new Fault('AUTHENTICATION_FAILED', { expected: 'the same user' }));
      return session.close(1008, 'another user');
    }
    this.#granted(verdict.user);
    session.done(hai);
    session.outbound.say({
      type: 'HAI',
      relatedId: hai.id,
      payload: haiPayload(session.context, verdict, session.supports),
    });
  }
}
