import type { Shapes } from '../../check/shapes.ts';
import type { AdminConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import type { Problems } from '../../problems/problems.ts';
import { resolveHostPort, resolveSocket } from './resolve-listen.ts';

const ONE_OF = 'Set listen to HOST:PORT, or socket to a path.';

/** The admin listener's configuration; undefined when there is no such section. It may listen on any interface. */
export function resolveAdmin(entry: ConfigEntry | undefined, problems: Problems): AdminConfig | undefined {
  return entry && resolveEntry('admin', entry, problems, (shape, found) => adminOf(shape, entry, found));
}

function adminOf(shape: Shapes['admin'], entry: ConfigEntry, problems: Problems): AdminConfig | undefined {
  const { file, path } = entry;
  const { listen, socket, page = false, ...rest } = shape;
  const place = problems.placeIn(file, path);
  if (listen !== undefined && socket !== undefined) {
    problems.add('CONFIG_INVALID', file, [...path, 'listen'], 'admin has both listen and socket', ONE_OF);
    return undefined;
  }
  if (socket !== undefined) return { where: resolveSocket({ socket, ...rest }, file), page, place };
  if (listen === undefined) {
    problems.add('CONFIG_MISSING', file, path, 'admin has neither listen nor socket', ONE_OF);
    return undefined;
  }
  for (const key of Object.keys(rest)) {
    problems.add('CONFIG_INVALID', file, [...path, key], `${key} goes with socket, not with listen`, 'Remove it.');
  }
  return { where: resolveHostPort(listen), page, place };
}
