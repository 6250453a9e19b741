import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Load } from './served.ts';

/** How to get `wrk` where it is missing. */
export const WRK_MISSING =
  'wrk is not installed, so the rows over TCP are left out: install it (Debian and Ubuntu: apt-get install wrk; macOS: brew install wrk)';

/** Whether the load generator `wrk` (https://github.com/wg/wrk) is on the path. */
export async function hasWrk(): Promise<boolean> {
  // Told its version it ends with status 1, so only the reason tells.
  return await promisify(execFile)('wrk', ['-v']).then(
    () => true,
    (error: { readonly code?: unknown }) => error.code !== 'ENOENT',
  );
}

/** Asks with GET over so many connections, each with one request at a time, for whole seconds. */
export async function wrk(
  url: string,
  headers: Readonly<Record<string, string>>,
  connections: number,
  ms: number,
): Promise<Load> {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, ...given, url];
  const { stdout } = await promisify(execFile)('wrk', args);
  const found = /^\s*(\d+) requests in ([\d.]+)s/m.exec(stdout);
  const bad = /^\s*(?:Non-2xx or 3xx responses|Socket errors).*$/m.exec(stdout);
  if (found === null || bad !== null) throw new Error(`wrk ${url}: ${bad?.[0].trim() ?? stdout}`);
  return { answers: Number(found[1]), ms: Number(found[2]) * 1_000 };
}
