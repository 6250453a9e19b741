import type { ListenConfig } from './config.ts';
import type { Problems } from './problems.ts';

/** A listener of any section, with its configuration path. */
export interface Listening {
  readonly where: ListenConfig;
  readonly place: string;
}

/** Two listeners cannot share a socket or a port. */
export function checkListens(listeners: Iterable<Listening>, problems: Problems): void {
  const owners = new Map<string, string>();
  for (const { where, place } of listeners) {
    const name = where.kind === 'unix' ? where.path : `${where.host}:${where.port}`;
    const owner = owners.get(name);
    const key = where.kind === 'unix' ? 'socket' : 'listen';
    if (owner === undefined) owners.set(name, `${place}.${key}`);
    else problems.addAt('CONFIG_DUPLICATE', `${place}.${key}`, `the same as ${owner}`, 'Give each one of its own.');
  }
}
