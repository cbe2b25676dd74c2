import type { Connection } from '@haip/protocol';
import { fakeClock, memoryTransport } from '@haip/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HAIPClient, keptOutbox } from '../src/index.ts';
import { ServerPeer } from './scripted-server.ts';

/** A server that keeps one connection a session: the one with the higher attempt, of equal ones the later. */
function fencingServer() {
  const live = new Map<string, { readonly attempt: number; readonly connection: Connection }>();
  let sessions = 0;
  let hais = 0;
  const accept = async (connection: Connection): Promise<void> => {
    const peer = new ServerPeer(connection);
    const { payload } = await peer.until('HAI').catch(() => ({ payload: undefined }));
    if (!payload) return;
    hais++;
    const session: string = payload.resume_token ?? `s-${++sessions}`;
    const attempt = Number(payload.attempt);
    const other = live.get(session);
    if (other && other.attempt > attempt) return connection.close(4409);
    live.set(session, { attempt, connection });
    other?.connection.close(4409);
    void connection.closed.then(() => live.get(session)?.connection === connection && live.delete(session));
    const capabilities = { transaction_log: true };
    peer.send({ type: 'HAI', session, payload: { accept_major: [1], capabilities, resume_token: session } });
  };
  return { accept, live, hais: () => hais };
}

const steps = fc.array(
  fc.record({
    tab: fc.nat(3),
    what: fc.constantFrom('cut', 'reload', 'duplicate', 'connect', 'wait', 'together'),
  }),
  { maxLength: 25 },
);

it('F18, F60: whatever is cut, reloaded and duplicated, no session is fought over and every tab ends alive or told [HAI-15] [HAI-16]', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const clock = fakeClock();
      const server = fencingServer();
      const open = (text: string | null) => {
        const store = {
          text,
          load: () => store.text,
          save(saved: string) {
            store.text = saved;
          },
        };
        const transport = memoryTransport(server.accept, { clock });
        const client = new HAIPClient({
          transports: [transport],
          clock,
          outbox: keptOutbox(store),
          logger: () => {},
          random: () => 0.5,
        });
        client.connect().catch(() => {});
        return { store, transport, client };
      };
      const tabs = [open(null)];
      let begun = 1;
      await clock.settle();
      for (const { tab, what } of all) {
        const at = tab % tabs.length;
        const page = tabs[at] as (typeof tabs)[number];
        if (what === 'cut' && page.client.state.name === 'connected') {
          page.transport.last.cut();
          begun++;
        } else if (what === 'reload') {
          // The old page is gone without a word: what it would still save is nobody's.
          const { text } = page.store;
          if (page.transport.links.length > 0) page.transport.last.cut();
          page.client.disconnect();
          tabs[at] = open(text);
          begun++;
        } else if (what === 'duplicate' && tabs.length < 4) {
          tabs.push(open(page.store.text));
          begun++;
        } else if (what === 'connect' && page.client.state.name === 'disconnected') {
          page.client.connect().catch(() => {});
          begun++;
        } else if (what === 'wait') {
          await clock.advance(500);
        }
        if (what !== 'together') await clock.settle();
      }
      for (let second = 0; second < 15; second++) await clock.advance(1_000);
      const states = tabs.map(({ client }) => client.state);
      for (const state of states) {
        if (state.name !== 'connected') expect(state).toMatchObject({ reason: { closeCode: 4409 } });
      }
      const sessions = states.flatMap((state) => (state.name === 'connected' ? [state.session] : []));
      expect(new Set(sessions).size).toBe(sessions.length);
      expect(sessions.length).toBeGreaterThan(0);
      // Each thing that began an attempt costs one HAI, and one more where its token had been taken over meanwhile.
      expect(server.hais()).toBeLessThanOrEqual(2 * begun);
    }),
    { numRuns: 100 },
  );
});
