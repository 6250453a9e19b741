import { errnoWord } from '../base/errno.ts';
import { fail, PannierError } from '../base/errors.ts';
import { readEnvironment } from '../config/environment.ts';
import type { LocalPlace } from '../http/local-api.ts';
import { DEFAULT_SOCKET, namedPlace } from './named-place.ts';

/** What is asked, by its word on the command line. */
const PATHS = { startup: '/startupz', ready: '/readyz', live: '/livez' } as const;

export type Probe = keyof typeof PATHS;

/** Until the whole answer is there. */
export const PROBE_TIMEOUT_MS = 5_000;

/** More than any answer of health. */
const MAX_BYTES = 1024 * 1024;

/**
 * `pannier probe CHECK`, for exec probes in an image without a shell. Answers 0 when all is well; else, and when nobody
 * answers, 1 with a line on standard error for each thing that is wrong.
 *
 * A probe runs every few seconds: this file is a script of its own, so that it needs neither the rest of the agent nor
 * node:http.
 */
export async function probeAt(where: LocalPlace, probe: Probe, timeoutMs: number): Promise<number> {
  try {
    const answer = await ask(where, PATHS[probe], timeoutMs);
    const [, status = ''] = /^HTTP\/1\.[01] (\d{3})[ \r]/.exec(answer) ?? [];
    if (status === '200') return 0;
    const lines = status === '503' ? linesOf(answer.slice(answer.indexOf('\r\n\r\n') + 4)) : undefined;
    if (lines === undefined) throw fail('AGENT_ANSWER', shown(where), 'what came is no answer about health');
    process.stderr.write(lines.map((line) => `${line}\n`).join(''));
  } catch (error) {
    if (!(error instanceof PannierError)) throw error;
    process.stderr.write(`${error.message}\n`);
  }
  return 1;
}

/**
 * The same for a command line that needs no configuration and nothing explained; undefined for any other.
 * @param args behind `probe`.
 */
export function quickProbe([probe = '', ...rest]: readonly string[]): Promise<number> | undefined {
  const env = readEnvironment();
  const [option, socket, ...more] = rest;
  const isPlain = option === undefined || (option === '--socket' && socket !== undefined && more.length === 0);
  if (!isPlain || !Object.hasOwn(PATHS, probe)) return undefined;
  const named = namedPlace(socket, env);
  if (named === undefined && (env['PANNIER_CONFIG'] ?? '') !== '') return undefined;
  return probeAt(named ?? { kind: 'unix', path: DEFAULT_SOCKET }, probe as Probe, PROBE_TIMEOUT_MS);
}

/** A request of HTTP/1.0: its answer ends with the connection. */
function ask(where: LocalPlace, path: string, timeoutMs: number): Promise<string> {
  const { connect } = process.getBuiltinModule('node:net');
  return new Promise((resolve, reject) => {
    const socket = connect(where.kind === 'unix' ? { path: where.path } : { host: where.host, port: where.port });
    const chunks: Buffer[] = [];
    let length = 0;
    const lose = (code: 'AGENT_UNREACHABLE' | 'AGENT_SILENT' | 'AGENT_ANSWER', seen: string) => {
      reject(fail(code, shown(where), seen));
      socket.destroy();
    };
    const timer = setTimeout(() => lose('AGENT_SILENT', `no whole answer within ${timeoutMs} ms`), timeoutMs);
    socket.on('connect', () => socket.write(`GET ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`));
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BYTES) lose('AGENT_ANSWER', 'the answer is too large');
      else chunks.push(chunk);
    });
    socket.on('error', (error) => lose('AGENT_UNREACHABLE', whyNot(errnoWord(error))));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('close', () => clearTimeout(timer));
  });
}

function whyNot(code: string): string {
  if (code === 'ENOENT') return 'there is no such socket';
  return code === 'ECONNREFUSED' ? 'nobody listens there' : `it cannot be reached (${code})`;
}

const shown = (where: LocalPlace): string => (where.kind === 'unix' ? where.path : `${where.host}:${where.port}`);

/** As other failures are printed; undefined when the answer is not one of health. */
function linesOf(body: string): readonly string[] | undefined {
  try {
    const { problems, moreProblems } = JSON.parse(body);
    const lines = problems.map(
      ({ code, place, seen, hint }: Record<string, unknown>) => `${place}: ${seen} (${code}). ${hint}`,
    );
    return moreProblems === undefined ? lines : [...lines, `and ${moreProblems} more`];
  } catch {
    return undefined;
  }
}
