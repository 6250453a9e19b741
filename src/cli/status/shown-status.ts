import { formatDuration } from '../../base/duration.ts';
import { printable } from '../../base/printable.ts';
import type {
  AwsOnDemandStatus,
  BackendStatus,
  FailureStatus,
  OutputStatus,
  SdsStatus,
  SecretStatus,
  Status,
} from '../../deliver/api/status.ts';
import { table } from './table.ts';

/** The status for people: a line about the agent, and a table each of backends, secrets and outputs. */
export function shownStatus(status: Status): string {
  const { version, startedAt, configuration, backends, secrets, outputs, sds, awsOnDemand } = status;
  const now = Date.parse(status.now);
  const since = (time: string) => formatDuration(floorSeconds(now - Date.parse(time)));
  const read = `configuration of ${since(configuration.readAt)} ago${listOf(configuration.files)}`;
  const parts = [
    `${printable(`pannier ${version}, up ${since(startedAt)}, ${read}`)}\n`,
    configuration.refused.length === 0
      ? ''
      : `a later configuration was refused:\n${configuration.refused.map((one) => `  ${printable(reasonOf(one))}\n`).join('')}`,
    table(
      ['BACKEND', 'KIND', 'LOGIN', 'ENDS IN', 'WHY'],
      backends.map((one) => backendRow(one, now)),
    ),
    table(
      ['SECRET', 'STATE', 'AGE', 'ENDS IN', 'NEXT IN', 'VERSION', 'WHY'],
      secrets.map((one) => secretRow(one, now)),
    ),
    table(
      ['CERTIFICATE', 'DAYS LEFT', 'NOT AFTER', 'RENEWAL IN', 'SERIAL', 'ISSUER', 'NAMES'],
      secrets.flatMap((one) => certificateRow(one, now)),
    ),
    table(
      ['OUTPUT', 'STATE', 'GENERATION', 'DIR', 'WHY'],
      outputs.map((one) => outputRow(one, now)),
    ),
    sds === undefined ? '' : shownSds(sds),
    table(['READ ON DEMAND BY', 'VALUES', 'AT MOST', 'REQUESTS'], (awsOnDemand ?? []).map(onDemandRow)),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** The parts of a status that make `--watch` print again when they change: all but times and ages. */
export function statesOf({ bootId, configuration, backends, secrets, outputs, sds }: Status): string {
  return JSON.stringify([
    bootId,
    configuration,
    backends.map(({ name, login, failure, circuit, events }) => [
      name,
      login?.state,
      failure?.code,
      circuit?.state,
      events?.state,
    ]),
    secrets.map(({ name, state, etag, failure }) => [name, state, etag, failure?.code]),
    outputs.map(({ name, state, generation, kept, failure, held, drift, statement }) => [
      name,
      state,
      generation,
      kept,
      failure?.code,
      held?.failure.code,
      drift?.seen,
      statement?.behind,
    ]),
    sds?.secrets.map(({ name, state, version, failure, refused }) => [name, state, version, failure?.code, refused]),
  ]);
}

function backendRow({ name, kind, login, failure, circuit, events }: BackendStatus, now: number): string[] {
  const how = login === undefined ? '-' : `${login.state} (${login.method})`;
  const pause = circuit?.probeAt === undefined ? '' : `; asked again ${whenDue(circuit.probeAt, now)}`;
  const feed = events?.state === 'down' ? `polls: ${reasonOf(events.failure)}` : '';
  const why = [`${reasonOf(failure)}${pause}`, feed].filter((one) => one !== '' && one !== '-').join('; ');
  return [name, kind, how, timeUntil(login?.endsAt, now), why];
}

function secretRow(secret: SecretStatus, now: number): string[] {
  const { name, state, optional, ageSeconds, endsAt, nextAt, version, failure, warning } = secret;
  const age = ageSeconds === undefined ? '-' : formatDuration(ageSeconds * 1000);
  const shown = optional && state === 'absent' ? 'absent (optional)' : state;
  return [
    name,
    shown,
    age,
    timeUntil(endsAt, now),
    timeUntil(nextAt, now, 'now'),
    version ?? '-',
    reasonOf(failure ?? warning),
  ];
}

const DAY_MS = 86_400_000;

function certificateRow({ name, certificate, nextAt }: SecretStatus, now: number): string[][] {
  if (certificate === undefined) return [];
  const { serial, issuer, notAfter, names } = certificate;
  const days = (Date.parse(notAfter) - now) / DAY_MS;
  const left = days < 0 ? 'over' : days < 10 ? days.toFixed(1) : String(Math.floor(days));
  return [[name, left, notAfter.slice(0, 19), timeUntil(nextAt, now, 'now'), serial, issuer, names.join(' ')]];
}

function shownSds({ streams, onDemand, secrets }: SdsStatus): string {
  const issued = onDemand === undefined ? '' : `, ${onDemand.names} of at most ${onDemand.max} names on demand`;
  const rows = table(
    ['SDS NAME', 'KIND', 'STATE', 'STREAMS', 'VERSION', 'WHY'],
    secrets.map((one) => [
      one.name,
      one.kind,
      one.refused === undefined ? one.state : `${one.state}, refused`,
      String(one.streams),
      one.version ?? '-',
      one.refused?.seen ?? reasonOf(one.failure),
    ]),
  );
  return `sds: ${streams} streams${issued}\n${rows}`;
}

function onDemandRow({ listener, values, max, requests }: AwsOnDemandStatus): string[] {
  const ended = Object.entries(requests).map(([outcome, count]) => `${count} ${outcome}`);
  return [listener, String(values), String(max), ended.length === 0 ? '-' : ended.join(', ')];
}

function outputRow(output: OutputStatus, now: number): string[] {
  const { name, state, generation, kept = [], dir, missing = [], failure, held, drift, reloadAt, statement } = output;
  const turn = reloadAt === undefined ? '' : `reload due ${whenDue(reloadAt, now)}`;
  const reason = reasonOf(drift ?? failure ?? held?.failure) || turn;
  const why = missing.length === 0 ? reason : `waits for ${missing.join(', ')}`;
  const isBehind = held === undefined && statement?.behind === true;
  const shown = [
    state,
    ...(held ? ['newer held back'] : []),
    ...(isBehind ? ['newer not published'] : []),
    ...(drift ? ['changed on disk'] : []),
  ].join(', ');
  const number = generation === undefined ? '-' : String(generation);
  return [name, shown, kept.length === 0 ? number : `${number}, kept ${kept.join(' ')}`, dir ?? '-', why];
}

/** For a column of a table. @param past the word for a time that has come. */
function timeUntil(time: string | undefined, now: number, past = 'over'): string {
  if (time === undefined) return '-';
  const ms = Date.parse(time) - now;
  return ms < 0 ? past : formatDuration(floorSeconds(ms));
}

/** The same in a sentence: `in 5s`, or `now` when the time has come. */
const whenDue = (time: string, now: number): string => (Date.parse(time) < now ? 'now' : `in ${timeUntil(time, now)}`);

const floorSeconds = (ms: number): number => (ms < 1000 ? ms : Math.floor(ms / 1000) * 1000);

const reasonOf = (failure: FailureStatus | undefined): string =>
  failure === undefined ? '' : `${failure.seen} (${failure.code})`;

const listOf = (files: readonly string[]): string => (files.length === 0 ? '' : `: ${files.join(', ')}`);
