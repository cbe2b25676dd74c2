// Days and hours by the server's clock: today, weekdays, spans between dates. Whole days are counted in UTC.

import type { Question, Skill } from '../notebook.ts';

const DAY = 86_400_000;
const monthNames = 'january february march april may june july august september october november december'.split(' ');

const feasts: readonly (readonly [RegExp, number, number])[] = [
  [/\bchristmas\b/i, 12, 25],
  [/\bnew year'?s? eve\b/i, 12, 31],
  [/\bnew year\b/i, 1, 1],
  [/\bhalloween\b/i, 10, 31],
  [/\bvalentine/i, 2, 14],
];

const long = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'UTC' });
const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'long', timeZone: 'UTC' });
const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });

const startOfDay = (at: Date): Date => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()));
const days = (size: number): string => `${size} ${size === 1 ? 'day' : 'days'}`;

function makeDate(year: number, month: number, day: number): Date | undefined {
  const made = new Date(Date.UTC(year, month - 1, day));
  return made.getUTCMonth() === month - 1 && made.getUTCDate() === day ? made : undefined;
}

/** The next such day, today included. */
function nextOn(now: Date, month: number, day: number): Date | undefined {
  const today = startOfDay(now);
  const thisYear = makeDate(now.getUTCFullYear(), month, day);
  return thisYear && thisYear >= today ? thisYear : makeDate(now.getUTCFullYear() + 1, month, day);
}

/** A date in words or digits: 2027-03-01, 20 July 1969, July 20, Christmas. Without a year: the next one. */
function readDate(text: string, now: Date): Date | undefined {
  const iso = /\b(\d{4})-(\d{1,2})-(\d{1,2})\b/.exec(text);
  if (iso) return makeDate(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const feast = feasts.find(([pattern]) => pattern.test(text));
  if (feast) return nextOn(now, feast[1], feast[2]);
  const names = monthNames.join('|');
  const dayFirst = new RegExp(`\\b(\\d{1,2})(?:st|nd|rd|th)? (?:of )?(${names}),?(?: (\\d{4}))?`, 'i').exec(text);
  const monthFirst = new RegExp(`\\b(${names}) (\\d{1,2})(?:st|nd|rd|th)?,?(?: (\\d{4}))?`, 'i').exec(text);
  const [day, name, year] = dayFirst
    ? dayFirst.slice(1)
    : monthFirst
      ? [monthFirst[2], monthFirst[1], monthFirst[3]]
      : [];
  if (day === undefined || name === undefined) return undefined;
  const month = monthNames.indexOf(name.toLowerCase()) + 1;
  return year === undefined ? nextOn(now, month, Number(day)) : makeDate(Number(year), month, Number(day));
}

function spanUntil({ said, now }: Question): string | undefined {
  if (!/\b(?:how (?:many days|long)|days)\b.*\b(?:until|till|to|before|since)\b/i.test(said)) return undefined;
  const date = readDate(said, now);
  if (!date) return undefined;
  const span = Math.round((date.getTime() - startOfDay(now).getTime()) / DAY);
  if (span === 0) return `That is today, ${long.format(date)}.`;
  return span > 0
    ? `${days(span)} from today, until ${long.format(date)}.`
    : `${days(-span)} have passed since ${long.format(date)}.`;
}

function dayFromNow({ said, now }: Question): string | undefined {
  const match = /\b(?:in|what.* is) (\d{1,5}) (day|week)s?(?: from (?:now|today))?$/i.exec(said);
  const back = /\b(\d{1,5}) (day|week)s? ago$/i.exec(said);
  const found = match ?? back;
  if (!found || !/\b(?:date|day|when|what)\b/i.test(said)) return undefined;
  const span = Number(found[1]) * (found[2]?.toLowerCase() === 'week' ? 7 : 1) * (match ? 1 : -1);
  return `${long.format(new Date(startOfDay(now).getTime() + span * DAY))}.`;
}

export const dates: Skill = (question) => {
  const { said, now } = question;
  const span = spanUntil(question) ?? dayFromNow(question);
  if (span) return { text: span };
  if (/^(?:what(?:'s| is) the time|what time is it|tell me the time|the time)\b/i.test(said)) {
    return { text: `It is ${time.format(now)} UTC by this server's clock. I do not know where you are.` };
  }
  const relative =
    /^(?:what|which|tell me)(?:'s)?\b.*\b(?:day|date|is|was|will be)(?: it)? (today|tomorrow|yesterday)(?:'s date)?$/i.exec(
      said,
    )?.[1];
  if (relative) {
    const shift = relative.toLowerCase() === 'tomorrow' ? 1 : relative.toLowerCase() === 'yesterday' ? -1 : 0;
    const date = new Date(startOfDay(now).getTime() + shift * DAY);
    return { text: `${relative.charAt(0).toUpperCase()}${relative.slice(1).toLowerCase()}: ${long.format(date)}.` };
  }
  if (/^(?:what(?:'s| is)(?: the)? (?:day|date)(?: is it)?|what (?:day|date) is it|what year is it)$/i.test(said)) {
    return { text: `Today is ${long.format(now)}.` };
  }
  if (!/\b(?:what|which) (?:week)?day\b/i.test(said)) return undefined;
  const date = readDate(said, now);
  if (!date) return undefined;
  const verb = date < startOfDay(now) ? 'was' : 'is';
  return { text: `${long.format(date).replace(/^\w+,? /, '')} ${verb} a ${weekday.format(date)}.` };
};
