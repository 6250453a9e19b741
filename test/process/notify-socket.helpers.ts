import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export interface NotifySocket extends AsyncDisposable {
  /** What the service manager puts into the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The messages so far, each as a list of its lines. */
  readonly messages: readonly (readonly string[])[];
}

const PROGRAM = resolve('test/fixtures/programs/notify-socket.py');
const SEND = `import os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.sendto("\\n".join(sys.argv[1:]).encode(), os.environ["NOTIFY_SOCKET"])
`;

/** A real datagram socket such as systemd's, in `dir`. Where systemd-notify is not installed, a script replaces it. */
export async function openNotifySocket(dir: string): Promise<NotifySocket> {
  const path = join(dir, 'notify.sock');
  const child = spawn('python3', [PROGRAM, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const messages: string[][] = [];
  await new Promise<void>((started, failed) => {
    child.once('error', failed);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as string[];
      if (message.length === 0) started();
      else messages.push(message);
    });
  });
  return {
    env: { NOTIFY_SOCKET: path, PATH: pathWithNotify(dir) },
    messages,
    [Symbol.asyncDispose]: () => ended(child),
  };
}

function pathWithNotify(dir: string): string {
  const path = process.env['PATH'] ?? '';
  if (path.split(delimiter).some((folder) => canRun(join(folder, 'systemd-notify')))) return path;
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'systemd-notify'), `#!/usr/bin/env python3\n${SEND}`, { mode: 0o755 });
  return `${bin}${delimiter}${path}`;
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
