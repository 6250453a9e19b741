import { parseDuration } from '../../../base/duration.ts';
import { makeNearest } from '../../../base/nearest.ts';
import type { Shapes } from '../../check/shapes.ts';
import type { CommandReloadConfig, VerifyConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import { formatPlace } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import { resolveCommand } from './resolve-reload.ts';
import { resolveHttp } from './resolve-reload-http.ts';

const WITHIN_MS = 10_000;

/** A candidate waits for its check, and newer values wait behind it. */
const CHECK_TIMEOUT = '10s';

/** The check of candidates. Undefined when something is wrong; it was added to `problems`. */
export function resolveCheck(entry: ConfigEntry, problems: Problems): CommandReloadConfig | undefined {
  return resolveEntry('check', entry, problems, ({ command }, found) => {
    warnOfPlaceholders(command.argv, entry, found);
    return resolveCommand({ ...command, timeout: command.timeout ?? CHECK_TIMEOUT }, entry, found);
  });
}

/** Warns of what is nearly `{dir}`. Other words in braces may be for the program, and so may variables of a shell. */
function warnOfPlaceholders(argv: readonly string[], { file, path }: ConfigEntry, problems: Problems): void {
  for (const [index, argument] of argv.entries()) {
    for (const [, word = ''] of argument.matchAll(/(?<!\$)\{(\w+)\}/g)) {
      if (word === 'dir' || nearDir(word) === undefined) continue;
      const at = [...path, 'command', 'argv', index];
      const seen = 'a word in braces is passed as it is; did you mean {dir}, the directory of the candidate?';
      problems.warn('CONFIG_DOUBTFUL', file, at, seen);
    }
  }
}

const nearDir = makeNearest(['dir']);

/** The question after a reload. Undefined when something is wrong; it was added to `problems`. */
export function resolveVerify(entry: ConfigEntry, problems: Problems): VerifyConfig | undefined {
  return resolveEntry('verify', entry, problems, (shape, found) => verifyOf(shape, entry, found));
}

function verifyOf(shape: Shapes['verify'], entry: ConfigEntry, problems: Problems): VerifyConfig | undefined {
  const { http, command, within } = shape;
  const { file, path } = entry;
  if ((http === undefined) === (command === undefined)) {
    const [code, seen] =
      http === undefined
        ? (['CONFIG_MISSING', 'verify says nothing to ask'] as const)
        : (['CONFIG_INVALID', 'verify says two things to ask'] as const);
    problems.add(code, file, path, seen, 'Give exactly one of http and command.');
    return undefined;
  }
  const ask =
    http === undefined
      ? resolveCommand(command as NonNullable<typeof command>, entry, problems)
      : resolveHttp({ ...http, method: http.method ?? 'GET' }, entry, problems);
  if (ask === undefined) return undefined;
  const withinMs = within === undefined ? WITHIN_MS : (parseDuration(within) as number);
  return { kind: 'verify', ask, withinMs, place: formatPlace(path) };
}
