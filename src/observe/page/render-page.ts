import type {
  BackendStatus,
  FailureStatus,
  OutputStatus,
  SdsStatus,
  SecretStatus,
  Status,
} from '../../deliver/api/status.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import { bar, DASH, due, type Mark, moment, state, table } from './parts.ts';
import type { RecentEvent } from './recent-events.ts';
import { backendsByUrgency, MAX_ROWS, outputsByUrgency, type Shown, sdsByUrgency, secretsByUrgency } from './shown.ts';
import { strip } from './strip.ts';

/** The whole page. It needs no script: without one it is loaded again every ten seconds. */
export function renderPage(shown: Shown): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Pannier: ${summaryOf(shown).word}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="status/style.css"><script defer src="status/script.js"></script><noscript><meta http-equiv="refresh" content="10"></noscript></head>
<body><header><h1>Pannier</h1><p id="live" role="status">as of the loading of the page</p></header>${renderMain(shown)}<footer><p>This page shows no values. <a href="./">What else is here</a></p></footer></body></html>
`.text;
}

/** What changes on the page: the script puts a new one in its place. */
export function renderMain(shown: Shown): Html {
  const { status } = shown;
  const nowMs = Date.parse(status.now);
  return html`<main data-now="${nowMs}">${[
    summary(shown, nowMs),
    troubles(shown),
    outputs(shown, nowMs),
    secrets(shown, nowMs),
    certificates(status, nowMs),
    logins(status, nowMs),
    sds(status.sds),
    timeline(shown.events, nowMs),
  ]}</main>`;
}

function summaryOf({ health, status }: Shown): { readonly word: string; readonly mark: Mark } {
  if (health.problems.length > 0) return { word: 'not ready', mark: 'bad' };
  const isUneasy = health.warnings.length > 0 || status.configuration.refused.length > 0;
  return isUneasy ? { word: 'ready, needs attention', mark: 'warn' } : { word: 'ready', mark: 'good' };
}

function summary(shown: Shown, nowMs: number): Html {
  const { version, startedAt, configuration, secrets, outputs: all } = shown.status;
  const { word, mark } = summaryOf(shown);
  const fresh = secrets.filter((one) => one.state === 'fresh').length;
  const settled = all.filter((one) => one.state === 'settled').length;
  const next = nextOf(shown.status);
  return html`<section id="summary" aria-labelledby="summary-title"><h2 id="summary-title">${state(word, mark)}</h2><dl><div><dt>Secrets fresh</dt><dd>${fresh} of ${secrets.length}</dd></div><div><dt>Outputs taken up</dt><dd>${settled} of ${all.length}</dd></div><div><dt>Next</dt><dd>${next === undefined ? 'nothing is due' : html`${next.what} ${due(next.at, nowMs)}`}</dd></div><div><dt>Configuration read</dt><dd>${moment(configuration.readAt, nowMs)}</dd></div><div><dt>Started</dt><dd>${moment(startedAt, nowMs)}</dd></div><div><dt>Version</dt><dd>${version}, Node ${process.versions.node}</dd></div></dl></section>`;
}

function nextOf({ secrets }: Status): { readonly what: string; readonly at: string } | undefined {
  const [first] = secrets
    .flatMap(({ name, nextAt }) => (nextAt === undefined ? [] : [{ what: name, at: nextAt }]))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return first;
}

function troubles({ health, status }: Shown): Html | undefined {
  const rows: readonly (readonly [string, Mark, FailureStatus])[] = [
    ...health.problems.map((one) => ['problem', 'bad', one] as const),
    ...status.configuration.refused.map((one) => ['configuration refused', 'bad', one] as const),
    ...health.warnings.map((one) => ['warning', 'warn', one] as const),
  ];
  return table({
    id: 'troubles',
    title: 'What is wrong, and what to do',
    heads: ['Where', 'What', 'Seen', 'What to do'],
    rows: rows.slice(0, MAX_ROWS).map(([word, mark, { place, seen, code, hint }]) => {
      return [place, state(word, mark), html`${seen} <code>${code}</code>`, hint];
    }),
    more: rows.length - MAX_ROWS,
  });
}

const OUTPUT_WORDS: Readonly<Record<OutputStatus['state'], readonly [string, Mark]>> = {
  waiting: ['waiting', 'bad'],
  failed: ['failed', 'bad'],
  owed: ['reload owed', 'warn'],
  settled: ['taken up', 'good'],
};

function outputs({ status, hourOf }: Shown, nowMs: number): Html | undefined {
  const row = (output: OutputStatus) => {
    const { name, generation, missing = [], failure, held, drift, reloadAt, statement } = output;
    const [word, mark] = OUTPUT_WORDS[output.state];
    const why = missing.length > 0 ? `waits for ${missing.join(', ')}` : reasonOf(failure);
    const holding =
      held === undefined
        ? undefined
        : html`${state(held.generation === undefined ? 'newer values held back' : `generation ${held.generation} held back`, 'warn')} `;
    const turn = reloadAt === undefined ? undefined : html`reload ${due(reloadAt, nowMs)} `;
    const drifted = drift === undefined ? undefined : html`${state('changed on disk', 'warn')} ${hinted(drift)} `;
    const isBehind = held === undefined && statement?.behind === true;
    const behind = isBehind ? html`${state('newer values not published', 'warn')} ` : undefined;
    return [
      name,
      state(word, mark),
      generation === undefined ? DASH : String(generation),
      strip(name, hourOf(name), nowMs),
      html`${drifted}${behind}${turn}${holding}${held === undefined ? why : reasonOf(held.failure)}`,
    ];
  };
  return table({
    id: 'outputs',
    title: 'Outputs',
    heads: ['Output', 'State', 'Generation', 'Last hour', 'Why'],
    rows: outputsByUrgency(status.outputs).slice(0, MAX_ROWS).map(row),
    more: status.outputs.length - MAX_ROWS,
  });
}

const SECRET_MARKS: Readonly<Record<SecretStatus['state'], Mark>> = {
  waiting: 'bad',
  absent: 'bad',
  fresh: 'good',
  stale: 'warn',
  expired: 'bad',
};

function secrets(shown: Shown, nowMs: number): Html | undefined {
  const all = secretsByUrgency(shown.status.secrets);
  return table({
    id: 'secrets',
    title: 'Secrets',
    note: 'A bar is the life of a value, or the time until it is fetched again; thin marks are renewals, the wide one is the next.',
    heads: ['Secret', 'State', 'Life', 'Ends', 'Next', 'Renewed', 'Age', 'Version', 'Why'],
    rows: all.slice(0, MAX_ROWS).map((secret) => secretRow(secret, shown, nowMs)),
    more: all.length - MAX_ROWS,
  });
}

function secretRow(secret: SecretStatus, shown: Shown, nowMs: number): (Html | string)[] {
  const { name, optional, version, endsAt, nextAt, fetchedAt, failure, warning } = secret;
  const isGone = optional && secret.state === 'absent';
  const mark = isGone ? 'plain' : SECRET_MARKS[secret.state];
  const renewals = shown.renewalsOf(name);
  return [
    name,
    state(isGone ? 'absent (optional)' : secret.state, mark),
    lifeBar(secret, renewals, mark, nowMs),
    moment(endsAt, nowMs),
    due(nextAt, nowMs),
    renewals.length === 0 ? DASH : `${renewals.length === 20 ? 'at least ' : ''}${renewals.length}×`,
    moment(fetchedAt, nowMs),
    version === undefined ? DASH : long(version),
    hinted(failure ?? warning),
  ];
}

function lifeBar(secret: SecretStatus, renewals: readonly number[], mark: Mark, nowMs: number): Html | string {
  const { name, life, changedAt, fetchedAt, endsAt, nextAt, certificate } = secret;
  const until = endsAt ?? nextAt;
  // A lease begins with its value, a certificate says itself since when it is valid, and a poll with the last one.
  const from = certificate?.notBefore ?? (life === 'lease' ? changedAt : fetchedAt);
  if (until === undefined || from === undefined) return DASH;
  const [fromMs, untilMs] = [Date.parse(from), Date.parse(until)];
  const left = Math.max(0, Math.min(100, Math.round(((untilMs - nowMs) / Math.max(1, untilMs - fromMs)) * 100)));
  const label = `${name}: ${left} % of the ${endsAt === undefined ? 'time until the next fetch' : 'life'} is left`;
  const nextMs = endsAt === undefined || nextAt === undefined ? undefined : Date.parse(nextAt);
  return bar({ fromMs, untilMs, nowMs, ticks: renewals, nextMs, mark: endsAt === undefined ? 'plain' : mark, label });
}

const DAY_MS = 86_400_000;

function certificates({ secrets: all }: Status, nowMs: number): Html | undefined {
  const found = all
    .flatMap(({ name, certificate, nextAt }) => (certificate === undefined ? [] : [{ name, nextAt, ...certificate }]))
    .sort((a, b) => Date.parse(a.notAfter) - Date.parse(b.notAfter));
  return table({
    id: 'certificates',
    title: 'Certificates',
    note: 'The one that ends first comes first.',
    heads: ['Certificate', 'Days left', 'Ends', 'Renewal', 'Names', 'Issuer'],
    rows: found.slice(0, MAX_ROWS).map(({ name, nextAt, notBefore, notAfter, names, issuer }) => {
      const [fromMs, untilMs] = [Date.parse(notBefore), Date.parse(notAfter)];
      const days = (untilMs - nowMs) / DAY_MS;
      const share = (untilMs - nowMs) / Math.max(1, untilMs - fromMs);
      const mark: Mark = days <= 0 ? 'bad' : share < 0.2 ? 'warn' : 'good';
      const word = days <= 0 ? 'over' : days < 10 ? days.toFixed(1) : String(Math.floor(days));
      return [name, state(word, mark), moment(notAfter, nowMs), due(nextAt, nowMs), long(names.join(' ')), issuer];
    }),
    more: found.length - MAX_ROWS,
  });
}

const LOGIN_MARKS: Readonly<Record<NonNullable<BackendStatus['login']>['state'], Mark>> = {
  out: 'plain',
  'logging-in': 'warn',
  live: 'good',
  renewing: 'good',
  replacing: 'good',
  dead: 'bad',
  stopped: 'plain',
};

function logins({ backends }: Status, nowMs: number): Html | undefined {
  return table({
    id: 'backends',
    title: 'Backends and logins',
    heads: ['Backend', 'Kind', 'Login', 'Ends', 'Address', 'Why'],
    rows: backendsByUrgency(backends)
      .slice(0, MAX_ROWS)
      .map(({ name, kind, login, address, failure, circuit, events }) => [
        name,
        kind,
        login === undefined ? 'needs none' : state(`${login.state} (${login.method})`, LOGIN_MARKS[login.state]),
        moment(login?.endsAt, nowMs),
        address === undefined ? DASH : long(address),
        html`${circuit?.probeAt === undefined ? undefined : html`asked again ${due(circuit.probeAt, nowMs)}: `}${hinted(failure ?? events?.failure)}`,
      ]),
    more: backends.length - MAX_ROWS,
  });
}

function sds(status: SdsStatus | undefined): Html | undefined {
  const marks = { ready: 'good', awaited: 'warn', missing: 'bad' } as const;
  return table({
    id: 'sds',
    title: 'Served to Envoy',
    heads: ['Name', 'State', 'Streams', 'Why'],
    rows: (status === undefined ? [] : sdsByUrgency(status))
      .slice(0, MAX_ROWS)
      .map(({ name, state: now, streams, refused, failure }) => [
        name,
        refused === undefined ? state(now, marks[now]) : state('refused by a client', 'bad'),
        String(streams),
        refused?.seen ?? hinted(failure),
      ]),
    more: (status?.secrets.length ?? 0) - MAX_ROWS,
  });
}

function timeline(events: readonly RecentEvent[], nowMs: number): Html | undefined {
  return table({
    id: 'timeline',
    title: 'What happened lately',
    heads: ['When', 'What', 'Event', 'What to do'],
    rows: events.map(({ atMs, subject, text, tone, times, hint }) => [
      moment(atMs, nowMs),
      subject,
      html`${state(text, tone)}${times > 1 ? html` <span class="times">${times}&times;</span>` : undefined}`,
      hint ?? '',
    ]),
  });
}

/** A text that may be broken anywhere. */
const long = (text: string): Html => html`<span class="long">${text}</span>`;

const reasonOf = (failure: FailureStatus | undefined): Html | string =>
  failure === undefined ? '' : html`${failure.seen} <code>${failure.code}</code>`;

const hinted = (failure: FailureStatus | undefined): Html | string =>
  failure === undefined ? '' : html`${reasonOf(failure)} <span class="hint">${failure.hint}</span>`;
