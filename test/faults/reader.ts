/** Programs that read what an agent publishes, all the time, and note whatever they should never see. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';

/** The value of number `n`: the parts that a torn read would lose are long, and of another length each time. */
export const valueNumber = (n: number): string => `${n} ${'x'.repeat(40 + ((n * 37) % 400))}.`;

/** What a reader has seen. */
export interface Seen {
  reads: number;
  /** A file, or an answer of the API, was not there. */
  missing: number;
  /** Two files of one generation, or a file twice in one look, did not fit together. */
  mixed: number;
  /** Text that is no whole value: cut, empty, foreign. */
  broken: number;
  /** A value that is older than one seen before. */
  back: number;
  /** The newest value so far. */
  last: number;
  /** What was seen first of each kind of these, for a message. */
  readonly notes: string[];
}

export interface Reader extends AsyncDisposable {
  readonly seen: Seen;
  /** When `n`, or a later value, was first seen; by `performance.now()`. */
  firstSeenMs(n: number): number | undefined;
  saw(n: number): boolean;
}

const FILES = ['a', 'b', 'c'] as const;

/** The files that `readFiles` reads; `name` is the secret. */
export const readFilesOf = (name = 'app') =>
  Object.fromEntries(FILES.map((file) => [file, { content: `{{${name}.value}}` }]));

/** Reads the files of a published output, by their links and within one generation, without end. */
export function readFiles(dir: string, everyMs = 2): Reader {
  const noted = notebook();
  const look = () => {
    noted.seen.reads++;
    const generation = readlinkSync(join(dir, '..data'));
    const texts = readdirSync(join(dir, generation)).map((name) => readFileSync(join(dir, generation, name), 'utf8'));
    if (texts.length !== FILES.length || new Set(texts).size !== 1) noted.wrong('mixed', `${generation}: ${texts}`);
    for (const text of texts) noted.value(text);
    // A link may lead to a newer generation by now, never to an older one.
    noted.value(readFileSync(join(dir, 'a'), 'utf8'));
  };
  const timer = setInterval(() => {
    try {
      look();
    } catch (error) {
      noted.wrong('missing', (error as NodeJS.ErrnoException).code ?? String(error));
    }
  }, everyMs);
  return { ...noted, [Symbol.asyncDispose]: async () => clearInterval(timer) };
}

/** Asks the local API for the value, one request after the other, over one connection. */
export function readApi(socketPath: string, everyMs = 10, path = '/v1/secrets/app/value'): Reader {
  const noted = notebook();
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const next = () => {
    if (!isOver) timer = setTimeout(ask, everyMs);
  };
  const failed = (why: string) => {
    if (!isOver) noted.wrong('missing', why);
    next();
  };
  const ask = () => {
    const request = http.get({ socketPath, path, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        noted.seen.reads++;
        if (response.statusCode !== 200) return failed(`HTTP ${response.statusCode}`);
        noted.value(text);
        next();
      });
    });
    request.on('error', (error) => failed((error as NodeJS.ErrnoException).code ?? 'error'));
  };
  ask();
  return {
    ...noted,
    async [Symbol.asyncDispose]() {
      isOver = true;
      clearTimeout(timer);
      agent.destroy();
    },
  };
}

function notebook() {
  const seen: Seen = { reads: 0, missing: 0, mixed: 0, broken: 0, back: 0, last: 0, notes: [] };
  const firsts = new Map<number, number>();
  const wrong = (kind: 'missing' | 'mixed' | 'broken' | 'back', note: string) => {
    seen[kind]++;
    if (seen.notes.length < 10) seen.notes.push(`${kind}: ${note.slice(0, 200)}`);
  };
  return {
    seen,
    wrong,
    value(text: string) {
      const n = Number.parseInt(text, 10);
      if (text !== valueNumber(n)) return wrong('broken', JSON.stringify(text));
      if (n < seen.last) return wrong('back', `${n} after ${seen.last}`);
      if (n > seen.last) firsts.set(n, performance.now());
      seen.last = n;
    },
    firstSeenMs: (n: number) => [...firsts].find(([number]) => number >= n)?.[1],
    saw: (n: number) => firsts.has(n),
  };
}
