import { errnoWord } from '../base/errno.ts';
import { fail, PannierError } from '../base/errors.ts';
import { readEnvironment } from '../config/environment.ts';
import { DEFAULT_FILE } from '../config/load/default-file.ts';
import type { LocalPlace } from '../http/local-api.ts';
import { DEFAULT_PLACE, namedPlace } from './named-place.ts';
import { tell } from './print.ts';
import { type Advice, adviseOnSocket } from './socket-advice.ts';

/** The path of each check, by its word on the command line. */
const PATHS = { startup: '/startupz', ready: '/readyz', live: '/livez' } as const;

export type Probe = keyof typeof PATHS;

/** How long the whole answer may take. */
export const PROBE_TIMEOUT_MS = 5_000;

/** More than any answer about health has. */
const MAX_BYTES = 1024 * 1024;

/**
 * `pannier probe CHECK`, for exec probes in an image without a shell. Returns 0 when the agent is well. Otherwise, and
 * when there is no answer, it returns 1 and prints a line on standard error for each problem.
 *
 * A probe runs every few seconds, so the build makes a script of this file alone, without the rest of the agent and
 * without node:http.
 */
export async function probeAt(where: LocalPlace, probe: Probe, timeoutMs: number): Promise<number> {
  try {
    const answer = await ask(where, PATHS[probe], timeoutMs);
    const [, status = ''] = /^HTTP\/1\.[01] (\d{3})[ \r]/.exec(answer) ?? [];
    if (status === '200') return 0;
    const lines = status === '503' ? linesOf(answer.slice(answer.indexOf('\r\n\r\n') + 4)) : undefined;
    if (lines === undefined) throw fail('AGENT_ANSWER', shown(where), 'the answer is not one about health');
    tell(lines.map((line) => `${line}\n`).join(''));
  } catch (error) {
    if (!(error instanceof PannierError)) throw error;
    tell(`${error.message}\n`);
  }
  return 1;
}

/**
 * Runs the probe when the command line is simple: a known check, and at most `--socket` with a value. Undefined for any
 * other one, and when a configuration must be read to find the agent.
 * @param args the words after `probe`.
 */
export function quickProbe([probe = '', ...rest]: readonly string[]): Promise<number> | undefined {
  const env = readEnvironment();
  const [option, socket, ...more] = rest;
  const isPlain = option === undefined || (option === '--socket' && socket !== undefined && more.length === 0);
  if (!isPlain || !Object.hasOwn(PATHS, probe)) return undefined;
  const named = namedPlace(socket, env);
  if (named === undefined && ((env['PANNIER_CONFIG'] ?? '') !== '' || isHere(DEFAULT_FILE))) return undefined;
  return probeAt(named ?? DEFAULT_PLACE, probe as Probe, PROBE_TIMEOUT_MS);
}

/** Whether something has this name in the working directory. Whether it may be used is checked where it is read. */
const isHere = (name: string): boolean => process.getBuiltinModule('node:fs').existsSync(name);

/** Sends one request in HTTP/1.0, whose answer ends with the connection, and resolves to the answer's text. */
function ask(where: LocalPlace, path: string, timeoutMs: number): Promise<string> {
  const { connect } = process.getBuiltinModule('node:net');
  return new Promise((resolve, reject) => {
    const socket = connect(where.kind === 'unix' ? { path: where.path } : { host: where.host, port: where.port });
    const chunks: Buffer[] = [];
    let length = 0;
    const lose = (code: 'AGENT_UNREACHABLE' | 'AGENT_SILENT' | 'AGENT_ANSWER', seen: string, advice?: Advice) => {
      reject(fail(code, shown(where), advice?.seen ?? seen, advice));
      socket.destroy();
    };
    const timer = setTimeout(() => lose('AGENT_SILENT', `no whole answer within ${timeoutMs} ms`), timeoutMs);
    socket.on('connect', () => socket.write(`GET ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`));
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BYTES) lose('AGENT_ANSWER', 'the answer is too large');
      else chunks.push(chunk);
    });
    socket.on('error', (error) => lose('AGENT_UNREACHABLE', whyNot(errnoWord(error)), adviceFor(where)));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('close', () => clearTimeout(timer));
  });
}

const adviceFor = (where: LocalPlace) => (where.kind === 'unix' ? adviseOnSocket(where) : undefined);

function whyNot(code: string): string {
  if (code === 'ENOENT') return 'there is no socket at this path';
  return code === 'ECONNREFUSED' ? 'nothing listens there' : `it cannot be reached (${code})`;
}

const shown = (where: LocalPlace): string => (where.kind === 'unix' ? where.path : `${where.host}:${where.port}`);

/** A line for each problem, printed as other failures are. Undefined when the answer is not one about health. */
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
