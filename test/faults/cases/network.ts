/** Faults of the network and of what stands between, and answers that are none. */

import { join } from 'node:path';
import { expect } from 'vitest';
import { get } from '../../system/observe.helpers.ts';
import { endless, garbage, gzipBomb, halfJson, redirectLoop, refusal, retryAfter, webPage } from '../answers.ts';
import type { Backend, FaultCase, Scene } from '../case.ts';
import { type Answerer, drip, halfBody, hang, reset } from '../fault-server.ts';

const UNREACHABLE = ['BACKEND_UNREACHABLE'];
const TIMEOUT = ['BACKEND_TIMEOUT'];
const MALFORMED = ['BACKEND_MALFORMED'];
const UNAVAILABLE = ['BACKEND_UNAVAILABLE'];
const THROTTLED = ['BACKEND_THROTTLED'];

interface Row {
  readonly id: string;
  readonly fault: string;
  readonly answer: Answerer;
  readonly expect: FaultCase['expect'];
}

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toUTCString();

const ROWS: readonly Row[] = [
  { id: 'reset', fault: 'each connection is reset', answer: reset, expect: { codes: UNREACHABLE } },
  { id: 'hang', fault: 'no answer comes', answer: hang, expect: { codes: TIMEOUT } },
  {
    id: 'half-body',
    fault: 'the connection ends in the middle of a body',
    answer: halfBody,
    expect: { codes: UNREACHABLE },
  },
  { id: 'half-json', fault: 'a body is cut, with a length that fits', answer: halfJson, expect: { codes: MALFORMED } },
  {
    id: 'garbage',
    fault: 'bytes that are no HTTP',
    answer: garbage,
    expect: { codes: [...UNREACHABLE, ...MALFORMED] },
  },
  { id: 'web-page', fault: 'HTTP 200 with a web page', answer: webPage, expect: { codes: MALFORMED } },
  { id: 'http-500', fault: 'HTTP 500', answer: refusal(500), expect: { codes: UNAVAILABLE } },
  { id: 'http-502', fault: 'HTTP 502 with a web page', answer: refusal(502), expect: { codes: UNAVAILABLE } },
  { id: 'http-503', fault: 'HTTP 503', answer: refusal(503), expect: { codes: UNAVAILABLE } },
  { id: 'http-429', fault: 'HTTP 429', answer: refusal(429), expect: { codes: THROTTLED } },
  { id: 'drip', fault: 'a body comes byte by byte, without end', answer: drip, expect: { codes: TIMEOUT } },
  {
    id: 'endless',
    fault: 'a body without end, as fast as it is read',
    answer: endless,
    expect: { codes: ['BACKEND_TOO_LARGE', ...TIMEOUT], peakMiB: 300 },
  },
  {
    id: 'gzip-bomb',
    fault: 'a body of 256 KiB that unpacks to 256 MiB',
    answer: gzipBomb,
    expect: { codes: ['BACKEND_TOO_LARGE', ...MALFORMED], peakMiB: 300 },
  },
  {
    id: 'redirect-loop',
    fault: 'a redirect to itself',
    answer: redirectLoop,
    expect: { codes: ['BACKEND_REDIRECT', 'BACKEND_MALFORMED'] },
  },
];

/** Faults whose wait the server chooses: the agent asks once, and then not before that. */
const WAITS: readonly Row[] = [
  {
    id: 'retry-after-seconds',
    fault: 'HTTP 429, `Retry-After: 3`',
    answer: retryAfter(429, '3'),
    expect: { codes: THROTTLED, met: 1 },
  },
  {
    id: 'retry-after-date',
    fault: 'HTTP 503, `Retry-After` with a date in 3 s',
    answer: (request, socket) => retryAfter(503, inSeconds(3))(request, socket),
    expect: { codes: UNAVAILABLE, met: 1 },
  },
];

const answering =
  (answer?: Answerer) =>
  ({ proxy }: Scene) =>
    proxy.fault(answer);

/** An absurd wait is cut to five minutes, and a person can ask at once. */
const HUGE: FaultCase = {
  id: 'retry-after-huge',
  group: 'Answers that are none',
  fault: 'HTTP 429, `Retry-After: 1000000000`; after it a person asks for a refresh',
  on: 'OpenBao',
  inject: ({ proxy }) => proxy.fault(retryAfter(429, '1000000000')),
  during: async ({ dir }) => {
    const status = JSON.parse((await get(join(dir, 'api.sock'), '/v1/status')).body);
    const waitMs = Date.parse(status.secrets[0].nextAt) - Date.parse(status.now);
    expect(waitMs).toBeLessThanOrEqual(330_000);
  },
  heal: async ({ proxy, dir, rotate }) => {
    proxy.fault();
    await rotate();
    await get(join(dir, 'api.sock'), '/v1/secrets/app/refresh', {}, 'POST');
  },
  expect: { codes: THROTTLED, met: 1, peak: 2 },
};

/** For AWS the SDK reads the answers: a short run plays those in which it could go wrong. */
const SHORT_FOR_AWS = ['reset', 'half-json', 'http-429', 'endless'];

function casesOf(on: Backend, rows: readonly Row[]): readonly FaultCase[] {
  const suffix = on === 'OpenBao' ? '' : '-aws';
  return rows.map(({ id, answer, ...row }) => ({
    id: `${id}${suffix}`,
    onlyInFull: on !== 'OpenBao' && !SHORT_FOR_AWS.includes(id),
    group: 'Answers that are none',
    on,
    inject: answering(answer),
    heal: answering(),
    ...row,
  }));
}

export const NETWORK: readonly FaultCase[] = [
  HUGE,
  ...casesOf('OpenBao', [...ROWS, ...WAITS]),
  ...casesOf('AWS (moto)', ROWS),
];
