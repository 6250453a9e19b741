import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { BadArgument, type Helper, takeOneOf, takeText } from './helper.ts';

/** Every FORMAT. Times are in UTC, and in whole seconds except for `unixms`. */
const TIME_FORMATS = {
  rfc3339: (time: Date) => Secret.text(seconds(time)),
  date: (time: Date) => Secret.text(seconds(time).slice(0, 10)),
  compact: (time: Date) => Secret.text(seconds(time).replace(/[-:]/g, '')),
  http: (time: Date) => Secret.text(time.toUTCString()),
  unix: (time: Date) => Secret.number(String(Math.floor(time.getTime() / 1000))),
  unixms: (time: Date) => Secret.number(String(time.getTime())),
} as const satisfies Readonly<Record<string, (time: Date) => Secret>>;

const NAMES = Object.keys(TIME_FORMATS) as (keyof typeof TIME_FORMATS)[];
const formatOf = (value: Value | undefined) => takeOneOf(value, 'FORMAT', NAMES);

export const date: Helper = {
  usage: 'date TIME FORMAT',
  does:
    'A time in UTC as `rfc3339`, `date` (2030-01-31), `compact` (20300131T120000Z), `http`, `unix` or `unixms`. TIME is ' +
    'RFC 3339 text with its zone, a date, or a number of seconds since 1970. The current time is not available.',
  example: ['{{date "2030-01-31T13:00:00+01:00" "rfc3339"}}', '2030-01-31T12:00:00Z'],
  checks: { TIME: timeOf, FORMAT: formatOf },
  apply: ([time, format]) => TIME_FORMATS[formatOf(format)](timeOf(time)),
};

const seconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

const RFC_3339 = /^(\d{4}-\d\d-(\d\d))(?:[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d))?$/;
const NUMBER = /^-?\d{1,20}(?:\.\d+)?$/;
const FIRST_MS = Date.parse('0000-01-01T00:00:00Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** Parses TIME. @throws BadArgument also for a day that its month does not have, such as 2030-02-30. */
function timeOf(value: Value | undefined): Date {
  const text = takeText(value);
  const [, day, dayOfMonth, clock, fraction = '', zone] = RFC_3339.exec(text) ?? [];
  if (day !== undefined) {
    const time = new Date(`${day}T${clock ?? '00:00:00'}${fraction.slice(0, 4)}${zone?.toUpperCase() ?? 'Z'}`);
    const isDay = new Date(`${day}T00:00:00Z`).getUTCDate() === Number(dayOfMonth);
    if (isDay && isInRange(time)) return time;
  } else if (NUMBER.test(text)) {
    const time = new Date(Math.floor(Number(text) * 1000));
    if (isInRange(time)) return time;
    throw new BadArgument('takes seconds since 1970, within the years 0 to 9999, as TIME');
  }
  throw new BadArgument('takes RFC 3339 text with a zone, a date, or seconds since 1970 as TIME');
}

const isInRange = (time: Date): boolean => time.getTime() >= FIRST_MS && time.getTime() <= LAST_MS;
