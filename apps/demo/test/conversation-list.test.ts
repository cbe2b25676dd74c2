import type { TransactionList, TransactionSummary } from '@haip/client-core';
import { describe, expect, test } from 'vitest';
import { ConversationList, withFirstPage } from '../web/conversations/conversation-list.ts';
import { groupsOf, isExpired, momentOf } from '../web/conversations/groups.ts';

const item = (transaction: string, more: Partial<TransactionSummary> = {}): TransactionSummary => ({
  transaction,
  toolName: 'echo',
  createdAt: 0,
  title: transaction,
  ...more,
});

const page = (ids: string, next?: string): TransactionList => ({
  transactions: [...ids].map((id) => item(id)),
  next,
});

/** A list whose server answers by hand: `answers` are the questions that wait. */
function asked() {
  const answers: { after: string | undefined; give: (page: TransactionList) => void; refuse: () => void }[] = [];
  const list = new ConversationList(
    (after) => new Promise((give, reject) => answers.push({ after, give, refuse: () => reject(new Error('refused')) })),
  );
  const shown = (): string =>
    list
      .getState()
      .items.map(({ transaction }) => transaction)
      .join('');
  const answer = async (given?: TransactionList): Promise<string | undefined> => {
    const question = answers.shift();
    if (given) question?.give(given);
    else question?.refuse();
    await new Promise((settled) => setImmediate(settled));
    return question?.after;
  };
  return { list, answers, answer, shown };
}

describe('a first page that is read again', () => {
  const merged = (items: string, ids: string, next?: string): string | undefined =>
    withFirstPage(
      [...items].map((id) => item(id)),
      page(ids, next),
    )
      ?.map(({ transaction }) => transaction)
      .join('');

  test('puts what is new before what is there, and lets go of what it no longer has', () => {
    expect(merged('cba', 'dcb', 'b')).toBe('dcba');
    expect(merged('dcba', 'dba', 'a')).toBe('dba');
    expect(merged('dcbaz', 'dba', 'a')).toBe('dbaz');
  });

  test('is the list when it is the last page too, and when more came than it has', () => {
    expect(merged('cba', 'dc')).toBe('dc');
    expect(merged('cba', 'fed', 'd')).toBeUndefined();
  });
});

describe('the list', () => {
  test('reads page after page, and keeps what was read when the first one comes again', async () => {
    const { list, answer, shown } = asked();
    list.refresh();
    expect(await answer(page('dc', 'c'))).toBeUndefined();
    expect(list.getState()).toMatchObject({ isKnown: true, hasMore: true, isReadingMore: false });
    list.readMore();
    expect(list.getState().isReadingMore).toBe(true);
    expect(await answer(page('ba'))).toBe('c');
    expect([shown(), list.getState().hasMore]).toEqual(['dcba', false]);
    list.readMore();
    list.refresh();
    expect(await answer(page('ed', 'd'))).toBeUndefined();
    expect([shown(), list.getState().hasMore]).toEqual(['edcba', false]);
  });

  test('asks one thing at a time, and again for what was wanted meanwhile', async () => {
    const { list, answers, answer, shown } = asked();
    list.refresh();
    list.refresh();
    list.refresh();
    expect(answers).toHaveLength(1);
    await answer(page('a'));
    expect(answers).toHaveLength(1);
    await answer(page('ba'));
    expect([answers.length, shown()]).toEqual([0, 'ba']);
  });

  test('asks once for a conversation that it has not, and for a title that it has not', async () => {
    const { list, answers, answer } = asked();
    list.wants('b');
    list.wants('b');
    await answer({ transactions: [item('b', { title: undefined }), item('a')] });
    expect(answers).toHaveLength(0);
    list.wants('a', 'with a title');
    list.wants('b');
    expect(answers).toHaveLength(0);
    list.wants('b', 'with a title');
    list.wants('b', 'with a title');
    await answer({ transactions: [item('b', { title: undefined }), item('a')] });
    list.wants('b', 'with a title');
    expect(answers).toHaveLength(0);
  });

  test('that was refused keeps what it has and says so, until somebody asks again', async () => {
    const { list, answer, shown } = asked();
    list.refresh();
    await answer();
    expect(list.getState()).toMatchObject({ isKnown: false, isRefused: true });
    list.refresh();
    expect(list.getState().isRefused).toBe(false);
    await answer(page('b', 'b'));
    list.readMore();
    await answer();
    expect(list.getState()).toMatchObject({ isRefused: true, hasMore: true, isReadingMore: false });
    list.readMore();
    await answer(page('a'));
    expect([shown(), list.getState().isRefused]).toEqual(['ba', false]);
  });
});

describe('under days', () => {
  const now = new Date(2026, 10, 28, 0, 30);
  const at = (...when: [month: number, day: number, hour: number]): number => new Date(2026, ...when).getTime();

  test('conversations stand by midnights, not by hours', () => {
    const items = [
      item('a', { createdAt: at(10, 28, 0) }),
      item('b', { createdAt: at(10, 27, 23) }),
      item('c', { createdAt: at(10, 27, 1) }),
      item('d', { createdAt: at(10, 22, 0) }),
      item('e', { createdAt: at(10, 21, 23) }),
    ];
    const groups = groupsOf(items, now).map(({ name, items: group }) => [name, group.map((one) => one.transaction)]);
    expect(groups).toEqual([
      ['Today', ['a']],
      ['Yesterday', ['b', 'c']],
      ['Last 7 days', ['d']],
      ['Older', ['e']],
    ]);
    expect(groupsOf([], now)).toEqual([]);
  });

  test('each is told as briefly as it can be', () => {
    const told = (...when: Parameters<typeof at>): string => momentOf(at(...when), now, 'en-GB');
    expect(told(10, 27, 23)).toBe('23:00');
    expect(told(10, 24, 9)).toMatch(/^Tue,? 09:00$/);
    expect(told(5, 3, 9)).toBe('3 Jun');
    expect(momentOf(new Date(2025, 5, 3).getTime(), now, 'en-GB')).toBe('3 Jun 2025');
  });

  test('one without words is expired once they could be, not before', () => {
    const thirtyDays = 30 * 86_400_000;
    const silent = { title: undefined, createdAt: now.getTime() - thirtyDays };
    expect(isExpired(item('a', silent), now)).toBe(false);
    expect(isExpired(item('a', { ...silent, createdAt: silent.createdAt - 1 }), now)).toBe(true);
    expect(isExpired(item('a', { createdAt: 0 }), now)).toBe(false);
  });
});
