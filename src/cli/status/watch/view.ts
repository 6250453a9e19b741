import { formatDuration } from '../../../base/duration.ts';
import { formatRoughly } from '../../../base/rough-duration.ts';
import type { FailureStatus, SecretStatus, Status } from '../../../deliver/api/status.ts';
import { type Line, type Look, padded } from './line.ts';
import { byUrgency, LOGIN_LOOKS, loginLook, OUTPUT_LOOKS, outputLook, secretLook } from './looks.ts';

/** What a frame of the terminal is made of. */
export interface View {
  /** The last status; undefined: none has come yet. */
  readonly status: Status | undefined;
  /** Why the agent does not answer now, and since when; absent: it does. */
  readonly silent?: { readonly why: FailureStatus; readonly sinceMs: number };
  /** What has happened that the status does not say: the agent was started again. */
  readonly note?: string;
  /** The agent's wall clock, counted on since the last answer. */
  readonly nowMs: number;
  readonly columns: number;
  readonly rows: number;
  /** Whether the terminal shows more than ASCII. */
  readonly isUnicode: boolean;
}

interface Section {
  /** @param more how many lines do not fit, for people; empty when all do. */
  readonly title: (more: string) => Line;
  readonly lines: readonly Line[];
}

/** The lines of the terminal, at most `rows` of them: what needs attention comes first and is cut last. */
export function linesOf(view: View): readonly Line[] {
  const { status, silent, note, nowMs, rows } = view;
  const head = headOf(view);
  const above: Line[] = [head];
  if (silent !== undefined) {
    above.push(
      [
        [`${signsOf(view).bad} no answer for ${age(nowMs - silent.sinceMs)}: `, 'bad'],
        [silent.why.seen, 'bad'],
        [` (${silent.why.code}); trying again each second`, 'dim'],
      ],
      [[`  ${silent.why.hint}`, 'dim']],
    );
  }
  if (note !== undefined) above.push([[note, 'warn']]);
  if (status === undefined) return [...above, [], KEYS];
  above.push(nextLine(status, nowMs));
  const sections = [troubles(view, status), outputs(view, status), secrets(view, status), logins(view, status)].filter(
    ({ lines }) => lines.length > 0,
  );
  const shown = fitted(sections, rows - above.length - 1);
  return [...above, ...shown, KEYS].slice(0, Math.max(1, rows));
}

const KEYS: Line = [['q quits', 'dim']];

/** The sections, each with a line before it, in so many rows: the longest is shortened until they fit. */
function fitted(sections: readonly Section[], rows: number): readonly Line[] {
  const sizes = sections.map(({ lines }) => lines.length);
  const height = () => sizes.reduce((sum, size) => sum + (size === 0 ? 0 : size + 2), 0);
  while (height() > rows && sizes.some((size) => size > 0)) {
    let longest = 0;
    // Of equally long sections the last one is shortened: what is wrong comes first.
    sizes.forEach((size, at) => {
      if (size >= (sizes[longest] ?? 0)) longest = at;
    });
    sizes[longest] = (sizes[longest] ?? 1) - 1;
  }
  return sections.flatMap(({ title, lines }, at) => {
    const size = sizes[at] ?? 0;
    if (size === 0) return [];
    const left = lines.length - size;
    return [[], title(left === 0 ? '' : `(+${left})`), ...lines.slice(0, size)];
  });
}

const titled =
  (title: string) =>
  (more: string): Line => [
    [title, 'bold'],
    [more === '' ? '' : `  ${more}`, 'dim'],
  ];

const signsOf = ({ isUnicode }: View) =>
  isUnicode ? { good: '✓', warn: '▲', bad: '✕', plain: '•' } : { good: '+', warn: '!', bad: 'x', plain: '-' };

function headOf(view: View): Line {
  const { status, nowMs } = view;
  if (status === undefined)
    return [
      ['pannier', 'bold'],
      ['  no agent has answered yet', 'plain'],
    ];
  const [word, look] = view.silent === undefined ? verdictOf(status) : notKnown(status);
  const up = `up ${age(nowMs - Date.parse(status.startedAt))}`;
  const clock = new Date(nowMs).toISOString().slice(11, 19);
  return [
    [`pannier ${status.version}  `, 'bold'],
    [`${signsOf(view)[look]} ${word}`, look],
    [`  ${up}  ${clock}Z`, 'dim'],
  ];
}

/** Of an agent that does not answer nothing is known but what it said last. */
const notKnown = (status: Status): readonly [string, 'plain'] => [
  `not known; last seen: ${verdictOf(status)[0]}`,
  'plain',
];

function verdictOf({
  secrets: all,
  outputs: published,
  configuration,
}: Status): readonly [string, 'good' | 'warn' | 'bad'] {
  const isBad = all.some((one) => secretLook(one) === 'bad') || published.some((one) => outputLook(one) === 'bad');
  if (isBad) return ['something is missing', 'bad'];
  const isUneasy =
    configuration.refused.length > 0 ||
    all.some((one) => secretLook(one) === 'warn') ||
    published.some((one) => outputLook(one) === 'warn');
  return isUneasy ? ['needs attention', 'warn'] : ['all is well', 'good'];
}

/** What the agent does next: three of the moments that are announced. */
function nextLine({ secrets: all, backends }: Status, nowMs: number): Line {
  const next = [
    ...all.flatMap(({ name, nextAt, life }) =>
      nextAt === undefined ? [] : [{ atMs: Date.parse(nextAt), what: `${doing(life)} ${name}` }],
    ),
    ...backends.flatMap(({ name, login }) =>
      login?.endsAt === undefined ? [] : [{ atMs: Date.parse(login.endsAt), what: `end of the login of ${name}` }],
    ),
  ].sort((a, b) => a.atMs - b.atMs);
  if (next.length === 0) return [['next  nothing is due', 'dim']];
  const words = next
    .slice(0, 3)
    .map(({ atMs, what }) => `${what} ${atMs <= nowMs ? 'now' : `in ${age(atMs - nowMs)}`}`);
  return [
    ['next  ', 'dim'],
    [words.join(', '), 'plain'],
  ];
}

const DOING: Readonly<Record<string, string>> = { none: 'poll of', lease: 'renewal of', certificate: 'replacement of' };
const doing = (life: string | undefined): string => DOING[life ?? ''] ?? 'fetch of';

function troubles(view: View, { secrets: all, outputs: published, backends, configuration }: Status): Section {
  const signs = signsOf(view);
  const found = new Map<string, readonly [Look, string, FailureStatus]>();
  const add = (look: 'bad' | 'warn', what: string, why: FailureStatus | undefined) => {
    if (why !== undefined && !found.has(`${why.code} ${why.place}`)) {
      found.set(`${why.code} ${why.place}`, [look, `${signs[look]} ${what}: `, why]);
    }
  };
  for (const why of configuration.refused) add('bad', 'configuration refused', why);
  for (const { name, failure } of byUrgency(backends, loginLook)) add('bad', `backend ${name}`, failure);
  for (const one of byUrgency(all, secretLook)) {
    const look = secretLook(one);
    if (look === 'bad' || look === 'warn') add(look, `secret ${one.name}`, one.failure ?? one.warning);
  }
  for (const { name, state, failure, held, drift } of byUrgency(published, outputLook)) {
    add(OUTPUT_LOOKS[state][1] === 'bad' ? 'bad' : 'warn', `output ${name}`, failure);
    add('warn', `output ${name} is changed on disk`, drift);
    add('warn', `output ${name} is held back`, held?.failure);
  }
  const lines = [...found.values()].flatMap(([look, what, { seen, code, hint }]): Line[] => [
    [
      [what, look],
      [seen, 'plain'],
      [` (${code})`, 'dim'],
    ],
    ...(hint === '' ? [] : [[[`    ${hint}`, 'dim']] as Line]),
  ]);
  return { title: titled('WRONG, AND WHAT TO DO'), lines };
}

function outputs(view: View, { outputs: published }: Status): Section {
  const signs = signsOf(view);
  const width = widthOf(published, view, 24);
  const lines = byUrgency(published, outputLook).map(({ name, state, generation, missing = [], held, drift }): Line => {
    const [word, look] = OUTPUT_LOOKS[state];
    const trouble = drift !== undefined ? 'changed on disk' : held !== undefined ? 'held back' : undefined;
    const shown = trouble === undefined ? `${signs[look]} ${word}` : `${signs.warn} ${trouble}`;
    const number = generation === undefined ? '' : `generation ${generation}`;
    const why = missing.length > 0 ? `waits for ${missing.join(', ')}` : number;
    return [
      [`${padded(name, width)}  `, 'plain'],
      [padded(shown, 19), trouble === undefined ? look : 'warn'],
      [why, 'dim'],
    ];
  });
  return { title: titled('OUTPUTS'), lines };
}

/** From this width on there is room for a longer bar and for the age. */
const WIDE = 90;

function secrets(view: View, { secrets: all }: Status): Section {
  const { columns, nowMs } = view;
  const width = widthOf(all, view, columns >= WIDE ? 32 : 16);
  const barWidth = columns >= WIDE ? 24 : 12;
  const signs = signsOf(view);
  const lines = byUrgency(all, secretLook).map((secret): Line => {
    const { name, state, endsAt, nextAt, ageSeconds } = secret;
    const look = secretLook(secret);
    const until = (at: string | undefined) =>
      at === undefined ? '-' : Date.parse(at) <= nowMs ? 'now' : age(Date.parse(at) - nowMs);
    const fetched = columns < WIDE ? '' : ageSeconds === undefined ? '-' : `${formatRoughly(ageSeconds * 1000)} old`;
    return [
      [`${padded(name, width)}  `, 'plain'],
      [padded(`${signs[look]} ${state}`, 11), look],
      [`${barOf(secret, nowMs, barWidth, view.isUnicode)}  `, endsAt === undefined ? 'dim' : look],
      [padded(until(endsAt), 9), 'plain'],
      [padded(until(nextAt), 9), 'plain'],
      [fetched, 'dim'],
    ];
  });
  const heads = `${padded('LIFE', barWidth)}  ${padded('ENDS IN', 9)}NEXT IN`;
  const title = (more: string): Line => [
    [`${padded('SECRETS', width)}  `, 'bold'],
    [padded(more, 11), 'dim'],
    [heads, 'bold'],
  ];
  return { title, lines };
}

/** What is left of a life, or of the time until the next fetch: full at its beginning, empty at its end. */
export function barOf(
  { life, changedAt, fetchedAt, endsAt, nextAt, certificate }: SecretStatus,
  nowMs: number,
  width: number,
  isUnicode: boolean,
): string {
  const until = endsAt ?? nextAt;
  const from = certificate?.notBefore ?? (life === 'lease' ? changedAt : fetchedAt);
  if (until === undefined || from === undefined) return ' '.repeat(width);
  const [fromMs, untilMs] = [Date.parse(from), Date.parse(until)];
  const left = Math.min(1, Math.max(0, (untilMs - nowMs) / Math.max(1, untilMs - fromMs)));
  const full = left > 0 ? Math.max(1, Math.round(left * width)) : 0;
  const [on, off] = isUnicode ? ['█', '░'] : ['#', '.'];
  return on.repeat(full) + off.repeat(width - full);
}

function logins(view: View, { backends }: Status): Section {
  const width = widthOf(backends, view, 24);
  const lines = byUrgency(backends, loginLook).map(({ name, kind, login }): Line => {
    if (login === undefined)
      return [
        [`${padded(name, width)}  `, 'plain'],
        [`${kind}, needs no login`, 'dim'],
      ];
    const ends = login.endsAt === undefined ? '' : `  ends in ${age(Date.parse(login.endsAt) - view.nowMs)}`;
    return [
      [`${padded(name, width)}  `, 'plain'],
      [`${login.state} (${login.method})`, LOGIN_LOOKS[login.state]],
      [ends, 'dim'],
    ];
  });
  return { title: titled('LOGINS'), lines };
}

const widthOf = (named: readonly { readonly name: string }[], { columns }: View, most: number): number =>
  Math.min(most, Math.floor(columns / 3), Math.max(7, ...named.map(({ name }) => name.length)));

/** To the second below an hour, then in two units: what changes each second is what is near. */
function age(ms: number): string {
  if (ms < 3_600_000) return formatDuration(Math.max(0, Math.floor(ms / 1000) * 1000));
  const step = ms < 86_400_000 ? 60_000 : 3_600_000;
  return formatDuration(Math.floor(ms / step) * step);
}
