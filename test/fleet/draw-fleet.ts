import { type FleetResult, ratesOf, TIMELINE } from './simulate-fleet.ts';

const WIDTH = 960;
const LEFT = 64;
const RIGHT = 12;
const TOP = 34;
const RATE_HEIGHT = 230;
const FRESH_TOP = TOP + RATE_HEIGHT + 34;
const FRESH_HEIGHT = 60;
const HEIGHT = FRESH_TOP + FRESH_HEIGHT + 30;

/** What each part of the timeline is called in a drawing. */
const PHASES: readonly (readonly [name: keyof typeof TIMELINE, label: string, shade: string])[] = [
  ['start', 'start', '#eef4fb'],
  ['outage', 'outage', '#fbe3e0'],
  ['recovery', 'recovery', '#eaf6ea'],
  ['revoked', 'mount gone', '#fdf1d8'],
  ['restored', 'mount back', '#eaf6ea'],
  ['rollout', 'rollout', '#eee9f7'],
  ['change', 'value changed', '#eef4fb'],
];

/** The requests of a fleet over time, beside its steady load and twice that; and how many of its secrets are fresh. */
export function drawFleet(result: FleetResult): string {
  const { agents, steadyPerSecond: steady, bucketMs, requests, fresh } = result;
  const minutes = fresh.length;
  const rates = ratesOf(result);
  const top = Math.max(3 * steady, ...rates) * 1.06;
  const x = (minute: number) => LEFT + (minute / minutes) * (WIDTH - LEFT - RIGHT);
  const y = (rate: number) => TOP + RATE_HEIGHT - (rate / top) * RATE_HEIGHT;
  const bucketMinutes = bucketMs / 60_000;
  const steps = (values: readonly number[]) =>
    values
      .map((value, at) => {
        const end = Math.min(minutes, (at + 1) * bucketMinutes);
        return `${one(x(at * bucketMinutes))},${one(y(value))} ${one(x(end))},${one(y(value))}`;
      })
      .join(' ');
  const refused = requests.refused.map((count) => (count * 1000) / bucketMs);
  const freshY = (share: number) => FRESH_TOP + FRESH_HEIGHT * (1 - share);
  const freshLine = fresh.map((share, at) => `${one(x(at + 1))},${one(freshY(Math.min(1, share)))}`).join(' ');
  const bottom = FRESH_TOP + FRESH_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<title>Requests of ${agents} simulated agents over time</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...PHASES.filter(([name]) => (TIMELINE[name] as readonly [number, number])[0] < minutes).map(
      ([name, label, shade]) => {
        const [from, to] = TIMELINE[name] as readonly [number, number];
        const width = x(Math.min(to, minutes)) - x(from);
        return `<rect x="${one(x(from))}" y="${TOP}" width="${one(width)}" height="${bottom - TOP}" fill="${shade}"/><text x="${one(x(from) + 3)}" y="${TOP + 12}" fill="#555">${label}</text>`;
      },
    ),
    `<text x="${LEFT}" y="16" font-size="13" fill="#222">${count(agents)} agents: requests per second (red: not answered, as the server is away or full)</text>`,
    ...[1, 2].map((times) => {
      const label = `${times === 1 ? 'steady' : 'twice'} ${rounded(times * steady)}`;
      return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${one(y(times * steady))}" y2="${one(y(times * steady))}" stroke="#888" stroke-dasharray="4 3"/><text x="${LEFT - 4}" y="${one(y(times * steady) + 4)}" text-anchor="end" fill="#444">${label}</text>`;
    }),
    `<polyline fill="none" stroke="#1f5fa8" stroke-width="1.3" points="${steps(rates)}"/>`,
    `<polyline fill="none" stroke="#c8321f" stroke-width="1.1" points="${steps(refused)}"/>`,
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${TOP + RATE_HEIGHT}" y2="${TOP + RATE_HEIGHT}" stroke="#333"/>`,
    `<text x="${LEFT}" y="${FRESH_TOP - 6}" fill="#222">secrets that are fresh</text>`,
    `<text x="${LEFT - 4}" y="${FRESH_TOP + 8}" text-anchor="end" fill="#444">100 %</text>`,
    `<text x="${LEFT - 4}" y="${bottom}" text-anchor="end" fill="#444">0 %</text>`,
    `<polyline fill="none" stroke="#2c7a3f" stroke-width="1.3" points="${freshLine}"/>`,
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${bottom}" y2="${bottom}" stroke="#333"/>`,
    ...Array.from({ length: Math.floor(minutes / 10) + 1 }, (_, ten) => {
      return `<text x="${one(x(ten * 10))}" y="${bottom + 14}" text-anchor="middle" fill="#444">${ten * 10}</text>`;
    }),
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 4}" text-anchor="end" fill="#444">minutes</text>`,
    '</svg>',
    '',
  ].join('\n');
}

const one = (value: number): string => value.toFixed(1);
const rounded = (value: number): string => (value < 10 ? value.toFixed(1) : Math.round(value).toString());

/** 10,000 */
export const count = (value: number): string => value.toLocaleString('en-US');
