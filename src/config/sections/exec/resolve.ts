import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import { isVariableName, variableNameRule } from '../../../base/variable-name.ts';
import { tablesIn } from '../../check/table.ts';
import type { ExecConfig, FileConfig, GenerationsConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import { type ConfigPath, EXEC_ENVIRONMENT, formatPlace } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import { fullSignalName } from '../../rules.ts';
import type { ExecShape } from '../../schema.ts';
import { reloadSpreadOf } from '../outputs/resolve.ts';
import { checkVariables, KEY_OPTIONS, keyOptionsOf, resolveSources } from '../outputs/resolve-keys.ts';
import type { KnownSecrets } from '../secrets/resolve-source.ts';
import { EXEC_DEFAULTS } from './defaults.ts';

/** The schema of this section as tables, which the build puts in. */
declare const PANNIER_EXEC_TABLES: string | undefined;

const TABLES = tablesIn(typeof PANNIER_EXEC_TABLES === 'string' ? PANNIER_EXEC_TABLES : undefined);

/** A restart costs more than a publish, so changes are gathered for longer. */
const QUIET_MS = 1_000;
const MAX_WAIT_MS = 10_000;

/** The configuration of the section; the defaults when something is wrong with it. */
export function resolveExec(
  entry: ConfigEntry,
  outputs: ReadonlyMap<string, ConfigEntry>,
  secrets: KnownSecrets,
  problems: Problems,
): ExecConfig {
  problems.checker.learn?.(TABLES);
  const make = (shape: ExecShape, found: Problems) => execOf(shape, entry, outputs, secrets, found);
  return resolveEntry('exec', entry, problems, make, { spare: NOT_FOR_TEMPLATES }) ?? EXEC_DEFAULTS;
}

/** The keys that say nothing about the templates of `env`, which can be checked when one of these is wrong. */
const NOT_FOR_TEMPLATES = [
  'command',
  'onChange',
  'signal',
  'stopSignal',
  'grace',
  'onExit',
  'quiet',
  'maxWait',
  'spread',
];

function execOf(
  shape: ExecShape,
  entry: ConfigEntry,
  outputs: ReadonlyMap<string, ConfigEntry>,
  secrets: KnownSecrets,
  problems: Problems,
): ExecConfig {
  const { file, path } = entry;
  const { env, onChange = 'restart', signal, inherit = [], names: taken } = shape;

  checkNames(Object.keys(env ?? {}), (name) => [...path, 'env', name]);
  checkNames(inherit, (_, index) => [...path, 'inherit', index]);
  const variables = resolveVariables(shape, entry, secrets, problems);
  if (signal !== undefined && onChange !== 'signal') {
    const hint = 'Set onChange: signal, or remove signal.';
    problems.add('CONFIG_INVALID', file, [...path, 'signal'], 'signal goes with onChange: signal', hint);
  }
  const quietMs = msOf(shape.quiet) ?? QUIET_MS;
  const maxWaitMs = msOf(shape.maxWait) ?? Math.max(MAX_WAIT_MS, quietMs);
  if (maxWaitMs < quietMs) {
    problems.add(
      'CONFIG_INVALID',
      file,
      [...path, 'maxWait'],
      'maxWait is shorter than quiet',
      'Raise maxWait, or lower quiet.',
    );
  }
  const command = shape.command === undefined ? undefined : resolveCommand(shape.command);
  const sameName = outputs.get(EXEC_ENVIRONMENT);
  const hasVariables = env !== undefined || variables !== undefined;
  if (hasVariables && sameName !== undefined) {
    const seen = `the environment of exec has the name ${EXEC_ENVIRONMENT} already`;
    problems.add('CONFIG_DUPLICATE', sameName.file, sameName.path, seen, 'Give the output another name.');
  }
  return {
    ...(command === undefined ? {} : { command }),
    ...(hasVariables ? { env: environment(env ?? {}) } : {}),
    onChange: onChange === 'signal' ? { kind: 'signal', name: fullSignalName(signal ?? 'SIGHUP') } : { kind: onChange },
    stopSignal: fullSignalName(shape.stopSignal ?? EXEC_DEFAULTS.stopSignal),
    graceMs: msOf(shape.grace) ?? EXEC_DEFAULTS.graceMs,
    onExit: shape.onExit ?? EXEC_DEFAULTS.onExit,
    pristine: shape.pristine ?? EXEC_DEFAULTS.pristine,
    inherit,
  };

  function checkNames(names: readonly string[], at: (name: string, index: number) => ConfigPath): void {
    for (const [index, name] of names.entries()) {
      if (isVariableName(name, taken)) continue;
      problems.add('CONFIG_INVALID', file, at(name, index), variableNameRule(taken), 'Rename the variable.');
    }
  }

  /** A program with a slash is relative to the file that names it; one without is looked up on PATH. */
  function resolveCommand([program = '', ...rest]: readonly string[]): readonly string[] {
    if (program === '') problems.add('CONFIG_INVALID', file, [...path, 'command', 0], 'the program is empty');
    return [program.includes('/') ? resolve(file.dir, program) : program, ...rest];
  }

  function environment(texts: Readonly<Record<string, string>>): GenerationsConfig {
    const place = (name: string) => formatPlace([...path, 'env', name]);
    const files = new Map(
      Object.entries(texts).map(([name, text]): [string, FileConfig] => [
        name,
        { place: place(name), content: { kind: 'content', text } },
      ]),
    );
    const spread = reloadSpreadOf(shape.spread);
    const common = { name: EXEC_ENVIRONMENT, quietMs, maxWaitMs, reloadOnFirst: false, ...spread, files };
    return variables === undefined ? common : { ...common, variables };
  }
}

/** What `from` and the keys beside it say. Undefined without `from`; what is wrong is added to `problems`. */
function resolveVariables(
  shape: ExecShape,
  entry: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): GenerationsConfig['variables'] {
  const { file, path } = entry;
  const { from, keys, names } = shape;
  if (keys !== undefined && names !== undefined) {
    const seen = 'keys: identifier changes the names that names: any would keep';
    problems.add('CONFIG_INVALID', file, [...path, 'names'], seen, 'Remove one of the two.');
  }
  if (from === undefined) {
    for (const key of KEY_OPTIONS) {
      if (shape[key] === undefined) continue;
      const hint = 'Name whole secrets in from, or remove it.';
      problems.add('CONFIG_INVALID', file, [...path, key], `${key} goes with from, which is absent`, hint);
    }
    return undefined;
  }
  if (from.length === 0) {
    problems.add('CONFIG_MISSING', file, [...path, 'from'], 'from names no secret', 'Name one, or remove it.');
  }
  checkVariables(shape, entry, problems);
  const sources = resolveSources(from, entry, secrets, problems);
  return { place: formatPlace([...path, 'from']), from: sources, options: keyOptionsOf(shape) };
}

const msOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : parseDuration(text));
