import { constants } from 'node:os';

/** A signal to a process that a name or a pid file says, as a step of a reload has it. */
export interface SentSignal {
  readonly name: string;
  readonly process?: string;
  readonly pidFile?: string;
  /** With `process`: each one of that name. */
  readonly all?: true;
}

const SHELL = /^(?:\/bin\/|\/usr\/bin\/)?(?:ba|da)?sh\s+-c\s+(['"])(.*)\1$/s;

/** What a shell does when there is no such process. The agent tells of that and tries again. */
const CARELESS = /\s*(?:\|\||;)\s*(?:true|:|exit\s+0)$|\s*(?:\d|&)?>\s*(?:\/dev\/null|&1)$/;

const SIGNAL = /^(?:-s\s+|--signal[\s=]|-)([A-Z0-9]+)\s+/;
const FOUND = /^(["']?)(?:\$\(\s*(.*?)\s*\)|`\s*(.*?)\s*`)\1$/;
const BY_NAME = /^(pidof|pgrep)((?:\s+-[sxo])*)\s+(\w[\w.-]*)$/;
const BY_FILE = /^(?:cat\s+|<\s*)(["']?)(\/[\w./-]+)\1$/;
const OF_KILLALL = /^(?:-[xe]\s+)?(\w[\w.-]*)$/;

/** A longer line does more than that, and the patterns here take long for it. */
const MAX_LENGTH = 1000;

/** Signals that no process can handle, so that none reloads by them. */
const NEVER = new Set(['SIGKILL', 'SIGSTOP']);

/**
 * The signal that a command line of a shell sends and nothing else: `kill -HUP $(pidof nginx)`, `pkill -HUP nginx`,
 * `killall -s HUP nginx`, `kill -HUP $(cat /run/nginx.pid)`. Undefined: it does anything else.
 */
export function signalOf(commandLine: string): SentSignal | undefined {
  if (commandLine.length > MAX_LENGTH) return undefined;
  const line = plain(commandLine);
  const [, program, rest = ''] = /^(?:\/(?:usr\/)?s?bin\/)?(kill|pkill|killall)\s+(.*)$/s.exec(line) ?? [];
  if (program === undefined) return undefined;
  const said = SIGNAL.exec(rest);
  const name = said?.[1] === undefined ? 'SIGTERM' : fullName(said[1]);
  if (name === undefined || NEVER.has(name)) return undefined;
  const whom = rest.slice(said?.[0].length ?? 0).trim();
  if (program !== 'kill') {
    const process = OF_KILLALL.exec(whom)?.[1];
    return process === undefined ? undefined : { name, process, all: true };
  }
  const [, , inside, ticked] = FOUND.exec(whom) ?? [];
  const how = inside ?? ticked ?? '';
  const pidFile = BY_FILE.exec(how)?.[2];
  if (pidFile !== undefined) return { name, pidFile };
  const [, , options = '', process] = BY_NAME.exec(how) ?? [];
  if (process === undefined) return undefined;
  return /-[so]/.test(options) ? { name, process } : { name, process, all: true };
}

/** Without the shell around it, and without what hides that it failed. */
function plain(commandLine: string): string {
  let line = commandLine.trim();
  const inside = SHELL.exec(line)?.[2];
  if (inside !== undefined) line = inside.trim();
  while (CARELESS.test(line)) line = line.replace(CARELESS, '');
  return line;
}

function fullName(text: string): string | undefined {
  const all = Object.entries(constants.signals);
  if (/^\d+$/.test(text)) return all.find(([, number]) => number === Number(text))?.[0];
  const name = text.startsWith('SIG') ? text : `SIG${text}`;
  return all.some(([known]) => known === name) ? name : undefined;
}
