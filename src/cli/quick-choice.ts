import type { parseArgs as ParseArgs } from 'node:util';
import { parseDuration } from '../base/duration.ts';
import { type Choice, INIT_TIMEOUT_MS } from './choice.ts';

/** Node loads it when the member is read, in a millisecond. */
const parseArgs = ((line) => process.getBuiltinModule('node:util').parseArgs(line)) as typeof ParseArgs;

const CONFIG = { config: { type: 'string', short: 'c', multiple: true } } as const;
const TIMEOUT = { timeout: { type: 'string', multiple: true } } as const;
const AGENT = { ...CONFIG, socket: { type: 'string' }, json: { type: 'boolean' } } as const;

/**
 * Reads the command lines that agents are started and asked with, which are all alike, without commander, which takes
 * two milliseconds to load. undefined: this line is for `fullChoice`, which finds the same in each line that is read
 * here, and says what is wrong with the others.
 */
export function quickChoice([command, ...args]: readonly string[]): Choice | undefined {
  try {
    return choiceOf(command, args);
  } catch {
    return undefined; // of parseArgs: an option that is unknown or lacks its value
  }
}

function choiceOf(command: string | undefined, args: string[]): Choice | undefined {
  switch (command) {
    case 'init': {
      const { config = [], timeout } =
        onlyPairs(args, true) ?? parseArgs({ args, options: { ...CONFIG, ...TIMEOUT } }).values;
      const timeoutMs = lastDuration(timeout);
      return timeoutMs === 'none'
        ? undefined
        : { command, options: { config, timeoutMs: timeoutMs ?? INIT_TIMEOUT_MS } };
    }
    case 'run': {
      const { config = [] } = onlyPairs(args, false) ?? parseArgs({ args, options: CONFIG }).values;
      return { command, options: { config } };
    }
    case 'validate': {
      const { values, positionals } = parseArgs({ args, options: CONFIG, allowPositionals: true });
      return { command, options: { config: [...(values.config ?? []), ...positionals] } };
    }
    case 'exec': {
      const options = { ...CONFIG, ...TIMEOUT };
      const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
      const timeoutMs = lastDuration(values.timeout);
      if (timeoutMs === 'none') return undefined;
      const late = timeoutMs === undefined ? {} : { timeoutMs };
      return { command, options: { config: values.config ?? [], command: positionals, ...late } };
    }
    case 'get': {
      const { values, positionals } = parseArgs({ args, options: AGENT, allowPositionals: true });
      const [name, ...more] = positionals;
      if (name === undefined || more.length > 0) return undefined;
      return { command, name, options: { config: [], json: false, ...values } };
    }
    case 'status': {
      const { values } = parseArgs({ args, options: { ...AGENT, watch: { type: 'boolean' } } });
      return { command, options: { config: [], json: false, watch: false, ...values } };
    }
    default:
      return undefined;
  }
}

/**
 * The values of `-c`, `--config` and `--timeout`, each with its value in the next argument; undefined when anything
 * else is there. The command lines of nearly all starts are like that, and need no `parseArgs`.
 */
function onlyPairs(args: readonly string[], isTimed: boolean): { config: string[]; timeout: string[] } | undefined {
  const config: string[] = [];
  const timeout: string[] = [];
  for (let i = 0; i < args.length; i += 2) {
    const [option, value] = args.slice(i, i + 2);
    if (value === undefined || value.startsWith('-')) return undefined;
    if (option === '-c' || option === '--config') config.push(value);
    else if (option === '--timeout' && isTimed) timeout.push(value);
    else return undefined;
  }
  return { config, timeout };
}

/** Of an option that may be there several times; `none` when one of them is no duration. */
function lastDuration(texts: readonly string[] = []): number | undefined | 'none' {
  const durations = texts.map(parseDuration);
  return durations.includes(undefined) ? 'none' : durations.at(-1);
}
