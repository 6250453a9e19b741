/** What some cases need of the machine. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Need } from './case.ts';

const LIBRARIES = ['x86_64', 'aarch64'].map((cpu) => `/usr/lib/${cpu}-linux-gnu/faketime/libfaketime.so.1`);

/** The library that gives a process a clock of its own, from Debian's package libfaketime; undefined without it. */
export const faketimeLibrary = LIBRARIES.find((path) => existsSync(path));

/** Why a case cannot be played here; undefined: it can. */
export function whyNot(need: Need | undefined): string | undefined {
  if (need === 'faketime') return faketimeLibrary === undefined ? 'libfaketime is not installed' : undefined;
  if (need === 'mount')
    return spawnSync('unshare', ['-m', 'true']).status === 0 ? undefined : 'nothing can be mounted here';
  return undefined;
}
