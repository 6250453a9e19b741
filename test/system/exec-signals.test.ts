import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { parseProcStat } from '../../src/process/proc-stat.ts';
import { isAlive } from '../process/children.helpers.ts';
import { type Agent, eventually, type Place } from './agent.helpers.ts';
import { type ExecApp, execAppIn, execOf } from './exec.helpers.ts';
import { writePassword } from './file-backend.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();
const PASSWORD = { env: { PASSWORD: '{{app.password}}' } };

async function start(
  exec: object = {},
  ...ignored: string[]
): Promise<{ place: Place; app: ExecApp; agent: Agent; pid: number }> {
  const place = await scene.place();
  await writePassword(place, 'one');
  const app = execAppIn(place, ...ignored);
  const agent = scene.exec(await place.config(execOf({ ...PASSWORD, ...exec })), app.command);
  const pid = await app.pid();
  return { place, app, agent, pid };
}

/** Pids of the children of a process, zombies included. */
function childrenOf(pid: number): readonly { pid: number; state: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const stat = parseProcStat(readFileSync(`/proc/${name}/stat`, 'latin1'));
      return stat?.parent === pid ? [{ pid: Number(name), state: stat.state }] : [];
    } catch {
      return [];
    }
  });
}

describe('signals to exec', () => {
  it.each(['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const)(
    '%s is passed on to the child, and neither child nor exec ends',
    async (signal) => {
      const { app, agent, pid } = await start();
      agent.kill(signal);
      await eventually(() => expect(app.events().slice(1)).toEqual([[pid, signal]]));
      await pause(200);
      expect([isAlive(pid), agent.facts('config-applied'), app.events().length]).toEqual([true, [], 2]);
    },
  );

  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)(
    '%s is passed on, and exec ends with the child',
    async (signal) => {
      const { app, agent, pid } = await start();
      agent.kill(signal);
      expect(await agent.ended).toBe(0);
      expect(app.events().slice(1)).toEqual([[pid, signal]]);
      expect(agent.facts('agent-stopping')).toMatchObject([{ reason: signal }]);
    },
  );

  it('a child that does not stop gets each signal, and SIGKILL after the grace', async () => {
    const { app, agent, pid } = await start({ grace: '700ms' }, 'SIGTERM', 'SIGINT');
    agent.kill('SIGTERM');
    await eventually(() => expect(app.events()).toHaveLength(2));
    agent.kill('SIGINT');
    expect(await agent.ended).toBe(137);
    expect(app.events().slice(1)).toEqual([
      [pid, 'SIGTERM'],
      [pid, 'SIGINT'],
    ]);
    expect(agent.facts('child-killed')).toMatchObject([{ graceMs: 700 }]);
  });

  it('a stop while the child is being replaced ends exec with the old child', async () => {
    const { place, agent, app } = await start({ grace: '700ms' }, 'SIGTERM');
    await writePassword(place, 'two');
    await agent.waitFor('child-stopping');
    agent.kill('SIGTERM');
    expect(await agent.ended).toBe(137);
    expect(app.events().filter(([, what]) => what.startsWith('start'))).toHaveLength(1);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
  ] as const)('%s before there is a child ends exec with %i', async (signal, status) => {
    const place = await scene.place();
    const agent = scene.exec(await place.config(execOf(PASSWORD)), ['sleep', '60']);
    await agent.waitFor('secret-failed');
    agent.kill(signal);
    expect(await agent.ended).toBe(status);
    expect(agent.facts('child-started')).toEqual([]);
  });

  it('the processes that the child started end with it, at a restart, a stop, and its own end', async () => {
    const place = await scene.place();
    await writePassword(place, 'one');
    const script = `sleep 600 & echo "$! $$" >> ${place.dir}/pids; while ! [ -e ${place.dir}/end ]; do sleep 0.05; done; exit 7`;
    const config = await place.config(execOf({ ...PASSWORD, onExit: 'restart' }));
    const agent = scene.exec(config, ['sh', '-c', script]);
    const pids = () =>
      readFileSync(join(place.dir, 'pids'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' ').map(Number));
    const started = (count: number) => eventually(() => expect(pids()).toHaveLength(count));
    const gone = (one: number[] | undefined) => eventually(() => expect(one?.filter(runs)).toEqual([]));
    await started(1);
    await writePassword(place, 'two');
    await started(2);
    await gone(pids()[0]);
    process.kill(pids()[1]?.[1] ?? 0, 'SIGKILL');
    await started(3);
    await gone(pids()[1]);
    expect(childrenOf(agent.pid).filter(({ state }) => state === 'Z')).toEqual([]);
    await agent.stop();
    await gone(pids()[2]);
  });

  it('a restarted child leaves no zombie', async () => {
    const { place, agent, app } = await start();
    for (const count of [2, 3, 4]) {
      await writePassword(place, `p${count}`);
      await app.pid(count);
    }
    expect(childrenOf(agent.pid)).toEqual([{ pid: await app.pid(4), state: expect.stringMatching(/[SRD]/) }]);
  });
});

describe('the streams of the child', () => {
  it('are those of exec, and block, whatever exec does with them', async () => {
    const place = await scene.place();
    await writePassword(place, 'one');
    const look = 'import fcntl, os; print([bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK) for fd in (0, 1, 2)])';
    const agent = scene.exec(await place.config(execOf(PASSWORD)), ['python3', '-c', look]);
    expect(await agent.ended).toBe(0);
    expect(agent.stdout()).toBe('[False, False, False]\n');
  });
});

describe.runIf(process.platform === 'linux')('on a terminal', () => {
  /** Runs exec on a terminal of its own; the test can type there and read the screen. */
  async function onTerminal(script: string) {
    const place = await scene.place();
    await writePassword(place, 'one');
    const config = await place.config(execOf(PASSWORD));
    const spawnOnTerminal = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
    const argv = [process.execPath, resolve('dist/pannier.js'), 'exec', '-c', config, '--', 'sh', '-c', script];
    const terminal = spawn('python3', ['-c', spawnOnTerminal, ...argv], { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    terminal.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const ended = new Promise<number | null>((done) => terminal.once('close', done));
    scene.keep({
      async [Symbol.asyncDispose]() {
        terminal.kill('SIGKILL');
        await ended;
      },
    });
    const shows = (what: string) => eventually(() => expect(text).toContain(what));
    return { type: (keys: string) => terminal.stdin.write(keys), shows, ended, text: () => text };
  }

  it('the child can read it, also as /dev/tty', async () => {
    const { type, shows, ended } = await onTerminal('read a; echo "<$a>"; read b < /dev/tty; echo "<$b>"; exit 5');
    await shows('child started');
    type('first\n');
    await shows('<first>');
    type('second\n');
    await shows('<second>');
    expect(await ended).toBe(5);
  });

  it('Ctrl-C reaches the child once, and does not end exec', async () => {
    const { type, shows, ended, text } = await onTerminal(
      'n=0; trap "n=\\$((n+1)); echo caught \\$n" INT; echo ready; while :; do read line && break; done; exit 6',
    );
    await shows('ready');
    type('\x03');
    await shows('caught 1');
    type('\n');
    expect(await ended).toBe(6);
    expect(text()).not.toContain('caught 2');
  });
});

/** Whether a process runs; a zombie does not. */
function runs(pid: number): boolean {
  try {
    return !/^(?:Z|X)$/.test(parseProcStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.state ?? 'X');
  } catch {
    return false;
  }
}
