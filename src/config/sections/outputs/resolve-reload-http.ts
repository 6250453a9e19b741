import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import type { HttpReloadConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { formatPlace } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import type { ReloadShape } from '../../schema.ts';

const TIMEOUT_MS = 10_000;
const SECRET_NAME = /^(?:proxy-)?authorization$|^cookie$|(?:token|key|secret|password)$/i;

/** The HTTP request of a reload. Undefined when something is wrong; it was added to `problems`. */
export function resolveHttp(
  shape: NonNullable<ReloadShape['http']>,
  { file, path }: ConfigEntry,
  problems: Problems,
): HttpReloadConfig | undefined {
  const at = [...path, 'http'];
  const { protocol } = new URL(shape.url);
  const before = problems.count;
  if (shape.caFile !== undefined && protocol !== 'https:') {
    const hint = 'Remove it, or write https:// in url.';
    problems.add('CONFIG_INVALID', file, [...at, 'caFile'], 'caFile goes with https, and url is http', hint);
  }
  const names = new Set<string>();
  for (const [name, text] of Object.entries(shape.headers ?? {})) {
    const here = [...at, 'headers', name];
    if (names.size === names.add(name.toLowerCase()).size) {
      problems.add('CONFIG_DUPLICATE', file, here, 'headers has this header in another spelling too');
    }
    if (SECRET_NAME.test(name) && text !== '' && !text.includes('{{')) {
      const hint = 'Write {{SECRET.FIELD}}.';
      problems.warn('CONFIG_LITERAL_SECRET', file, here, 'a secret is written literally', hint);
    }
  }
  if (problems.count > before) return undefined;
  return {
    kind: 'http',
    method: shape.method ?? 'POST',
    url: shape.url,
    ...(shape.socket === undefined ? {} : { socket: resolve(file.dir, shape.socket) }),
    ...(shape.expect === undefined ? {} : { expect: shape.expect }),
    headers: new Map(Object.entries(shape.headers ?? {})),
    ...(shape.body === undefined ? {} : { body: shape.body }),
    ...(shape.caFile === undefined ? {} : { caFile: resolve(file.dir, shape.caFile) }),
    timeoutMs: shape.timeout === undefined ? TIMEOUT_MS : (parseDuration(shape.timeout) as number),
    place: formatPlace(path),
  };
}
