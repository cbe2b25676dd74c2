// Puts a list of conversations under days, and says when each began and whether it is over, as people do. Pure; the zone is the browser's.

import type { TransactionSummary } from '@haip/client-core';

export interface Group {
  readonly name: string;
  readonly items: readonly TransactionSummary[];
}

/** What the server keeps: 30 days. */
const keptForMs = 30 * 86_400_000;

/** Whether there were words once, and none of them is kept any more. */
export function isExpired({ title, createdAt }: TransactionSummary, now: Date): boolean {
  return title === undefined && now.getTime() - createdAt > keptForMs;
}

/** How many midnights lie between two moments. */
function daysBetween(from: Date, to: Date): number {
  const midnight = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  // A day with a change of the clocks is no whole one.
  return Math.round((midnight(to) - midnight(from)) / 86_400_000);
}

function nameOf(createdAt: number, now: Date): string {
  const days = daysBetween(new Date(createdAt), now);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 7 ? 'Last 7 days' : 'Older';
}

/** The list in its order, cut where a new group begins. */
export function groupsOf(items: readonly TransactionSummary[], now: Date): Group[] {
  const groups: { name: string; items: TransactionSummary[] }[] = [];
  for (const item of items) {
    const name = nameOf(item.createdAt, now);
    const last = groups.at(-1);
    if (last?.name === name) last.items.push(item);
    else groups.push({ name, items: [item] });
  }
  return groups;
}

/** The time of today and yesterday, the weekday and time within a week, else the date. */
export function momentOf(createdAt: number, now: Date, locale?: string): string {
  const date = new Date(createdAt);
  const days = daysBetween(date, now);
  const time = { hour: 'numeric', minute: '2-digit' } as const;
  if (days < 2) return date.toLocaleTimeString(locale, time);
  if (days < 7) return date.toLocaleString(locale, { weekday: 'short', ...time });
  const year = date.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  return date.toLocaleDateString(locale, { day: 'numeric', month: 'short', year });
}
