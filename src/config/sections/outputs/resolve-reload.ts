import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import type { CommandReloadConfig, ReloadConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import { formatPlace } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import { fullSignalName } from '../../rules.ts';
import type { ReloadShape } from '../../schema.ts';
import { resolveHttp } from './resolve-reload-http.ts';

const COMMAND_TIMEOUT_MS = 30_000;

/** One step of a reload. Undefined when something is wrong; it was added to `problems`. */
export function resolveReload(entry: ConfigEntry, problems: Problems): ReloadConfig | undefined {
  return resolveEntry('reload', entry, problems, (shape, found) => stepOf(shape, entry, found));
}

function stepOf(shape: ReloadShape, entry: ConfigEntry, problems: Problems): ReloadConfig | undefined {
  const { signal, http, command, restart } = shape;
  const given = [signal, http, command, restart].filter((step) => step !== undefined).length;
  if (given !== 1) {
    const [code, seen] =
      given === 0
        ? (['CONFIG_MISSING', 'the item says nothing to do'] as const)
        : (['CONFIG_INVALID', 'the item says several things to do'] as const);
    problems.add(
      code,
      entry.file,
      entry.path,
      seen,
      'Give exactly one of signal, http, command and restart for each item.',
    );
    return undefined;
  }
  if (restart !== undefined) return { kind: 'restart', place: formatPlace(entry.path) };
  if (signal !== undefined) return resolveSignal(signal, entry, problems);
  if (http !== undefined) return resolveHttp(http, entry, problems);
  return command === undefined ? undefined : resolveCommand(command, entry, problems);
}

function resolveSignal(
  { name, pidFile, process, all, child = false }: NonNullable<ReloadShape['signal']>,
  { file, path }: ConfigEntry,
  problems: Problems,
): ReloadConfig | undefined {
  const at = [...path, 'signal'];
  const before = problems.count;
  const given = [...(pidFile === undefined ? [] : ['pidFile']), ...(process === undefined ? [] : ['process'])];
  if (child) given.push('child');
  if (given.length === 0) {
    const seen = 'no key says which process gets the signal';
    problems.add('CONFIG_MISSING', file, [...at, 'pidFile'], seen, 'Add pidFile, process or child.');
  } else if (given.length > 1) {
    problems.add('CONFIG_INVALID', file, at, `${given.join(' and ')} each say which process`, 'Keep one of them.');
  }
  if (all !== undefined && process === undefined) {
    problems.add('CONFIG_INVALID', file, [...at, 'all'], 'all goes with process', 'Remove it.');
  }
  if (problems.count > before) return undefined;
  const step = {
    kind: 'signal',
    name: fullSignalName(name),
    place: formatPlace(path),
  } as const;
  if (child) return { ...step, child };
  if (process !== undefined) return { ...step, process, all: all ?? false };
  return { ...step, pidFile: resolve(file.dir, pidFile as string) };
}

/** A program with a slash is relative to the file that names it; one without is looked up on PATH. */
export function resolveCommand(
  { argv: [program = '', ...rest], timeout, captureOutput = false }: NonNullable<ReloadShape['command']>,
  { file, path }: ConfigEntry,
  problems: Problems,
): CommandReloadConfig | undefined {
  if (program === '') {
    problems.add('CONFIG_INVALID', file, [...path, 'command', 'argv', 0], 'the program is empty');
    return undefined;
  }
  return {
    kind: 'command',
    argv: [program.includes('/') ? resolve(file.dir, program) : program, ...rest],
    timeoutMs: timeout === undefined ? COMMAND_TIMEOUT_MS : (parseDuration(timeout) as number),
    captureOutput,
    place: formatPlace(path),
  };
}
