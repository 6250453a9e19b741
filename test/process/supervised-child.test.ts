import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { Fact } from '../../src/base/fact.ts';
import { type Launch, SupervisedChild } from '../../src/process/supervised-child.ts';
import { useScratch } from '../deliver/file/file-sink.helpers.ts';
import { FakeClock } from '../fake-clock.ts';
import { expectNoLeaks } from '../faults/leaks.ts';
import { eventually, fileAppears, isAlive, useChildren } from './children.helpers.ts';

const scratch = useScratch();
const children = useChildren();
expectNoLeaks();
const LOOP = 'while :; do sleep 0.02; done';
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A child whose script appends lines to `dir/lines`, with its facts. */
function supervise(script: string, more: Partial<Launch> = {}, clock: Clock = systemClock) {
  const dir = scratch();
  const facts: Fact[] = [];
  const now = { generation: 1, ...more };
  const output = 'exec.env';
  const launch = (): Launch => ({
    argv: ['sh', '-c', script],
    env: { PATH: '/usr/bin:/bin', DIR: dir, GENERATION: String(now.generation) },
    stdio: 'ignore',
    ownGroup: true,
    stopSignal: 'SIGTERM',
    graceMs: 20_000,
    onExit: 'end',
    generations: new Map([[output, now.generation]]),
    ...now,
  });
  const emit = (fact: Fact) => {
    facts.push(fact);
    if (fact.kind === 'child-started') children.keep(fact.pid);
  };
  const child = new SupervisedChild({ launch, graceMs: () => 10_000, clock, random: () => 0.5, emit });
  ends.push(async () => {
    if (!child.isStarted) return;
    child.stop('SIGKILL');
    if (clock === systemClock) await child.start();
  });
  const factsOf = <K extends Fact['kind']>(kind: K) =>
    facts.filter((fact) => fact.kind === kind) as Extract<Fact, { kind: K }>[];
  const lines = () =>
    existsSync(join(dir, 'lines')) ? readFileSync(join(dir, 'lines'), 'utf8').trim().split('\n') : [];
  const change = (generation: number) => {
    now.generation = generation;
    return child.restart('exec.onChange', { output, generation });
  };
  return { child, dir, factsOf, lines, change, now };
}

const WRITE = 'echo "$GENERATION" >> $DIR/lines';

describe('the child of exec', () => {
  it.each<[string, number]>([
    ['exit 0', 0],
    ['exit 42', 42],
    ['kill -USR1 $$', 138],
  ])('that ends by itself (%s) ends exec with its status', async (script, status) => {
    const { child, factsOf } = supervise(script);
    expect(await child.start()).toEqual({ status });
    expect(factsOf('child-started')).toMatchObject([{ why: 'first' }]);
    expect(factsOf('child-ended')).toMatchObject([{ status }]);
  });

  it('that cannot be started ends exec with 127, and a failure that shows no argument', async () => {
    const { child, factsOf } = supervise('', { argv: ['surely-no-such-program', 'hunter2'] });
    const { status, failure } = await child.start();
    expect([status, failure?.code, failure?.seen]).toEqual([
      127,
      'EXEC_NOT_STARTED',
      'surely-no-such-program cannot be started (ENOENT)',
    ]);
    expect(factsOf('child-failed')).toHaveLength(1);
    expect(JSON.stringify(factsOf('child-failed'))).not.toContain('hunter2');
  });

  it('with more variables than the system allows ends exec with a failure that shows no value', async () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`V${i}`, 'hunter2'.repeat(18_000)]));
    const { child } = supervise('exit 0', { env: { PATH: '/usr/bin:/bin', ...many } });
    const { status, failure } = await child.start();
    expect([status, failure?.seen]).toEqual([126, 'the variables and arguments are larger than the system allows']);
  });

  it('that gets new values is gone, with all that it started, before the next one starts', async () => {
    const lock = `[ -e $DIR/lock ] && echo both >> $DIR/lines; touch $DIR/lock; ${WRITE}`;
    const below = `sh -c 'trap "sleep 0.3; rm $DIR/lock; exit" TERM; touch $DIR/ready; ${LOOP}'`;
    const { child, dir, lines, change, factsOf } = supervise(`trap 'exit 0' TERM; ${lock}; ${below} & ${LOOP}`);
    void child.start();
    await fileAppears(join(dir, 'ready'));
    expect(await change(2)).toBeUndefined();
    expect(await eventually(() => lines().length === 2)).toBe(true);
    expect(lines()).toEqual(['1', '2']);
    expect(factsOf('child-started')).toMatchObject([{ why: 'first' }, { why: 'changed' }]);
    expect(factsOf('child-killed')).toEqual([]);
  });

  it('that has the generation already is not started again, unless a client asks for it', async () => {
    const { child, change, lines, factsOf } = supervise(`${WRITE}; ${LOOP}`);
    expect(await change(1)).toBeUndefined();
    expect(factsOf('child-started')).toEqual([]);
    void child.start();
    await eventually(() => lines().length === 1);
    expect(await change(1)).toBeUndefined();
    expect(child.starts).toBe(1);
    expect(await child.restart('x')).toBeUndefined();
    expect(child.starts).toBe(2);
  });

  it('that ends during a restart, with whatever status, does not end exec', async () => {
    const { child, change, lines } = supervise(`trap 'exit 9' TERM; ${WRITE}; ${LOOP}`);
    let over = false;
    void child.start().then(() => {
      over = true;
    });
    for (const generation of [2, 3, 4]) {
      await eventually(() => lines().length === generation - 1);
      await change(generation);
    }
    expect([over, child.starts]).toEqual([false, 4]);
  });

  it('that ignores the stop signal is killed after the grace, and the next one starts', async () => {
    const { child, change, lines, factsOf, now } = supervise(`trap '' TERM; ${WRITE}; ${LOOP}`, { graceMs: 150 });
    void child.start();
    await eventually(() => lines().length === 1);
    now.graceMs = 20_000;
    await change(2);
    expect(await eventually(() => lines().length === 2)).toBe(true);
    expect(factsOf('child-killed')).toMatchObject([{ graceMs: 150 }]);
    now.graceMs = 150;
    child.stop('SIGKILL');
  });

  it('that is to stop while it is being replaced is not started again, and exec ends', async () => {
    const { child, change, lines } = supervise(`trap 'sleep 0.3; exit 5' TERM; ${WRITE}; ${LOOP}`);
    const over = child.start();
    await eventually(() => lines().length === 1);
    const changing = change(2);
    child.stop('SIGTERM');
    expect([await over, await changing, child.starts]).toEqual([{ status: 5 }, undefined, 1]);
    expect(await change(3)).toBeUndefined();
    expect(child.starts).toBe(1);
  });

  it('that is stopped gets that signal with its whole group, then SIGKILL after the grace, and ends exec with 128+n', async () => {
    const { child, dir, lines, factsOf } = supervise(
      `trap 'echo int >> $DIR/lines' INT; ${WRITE}; sleep 60 & echo $! > $DIR/pid; ${LOOP}`,
      {
        graceMs: 200,
      },
    );
    const over = child.start();
    await eventually(() => lines().length === 1);
    await fileAppears(join(dir, 'pid'));
    child.stop('SIGINT');
    expect(await over).toEqual({ status: 137 });
    expect([factsOf('child-stopping'), factsOf('child-killed')]).toMatchObject([
      [{ signal: 'SIGINT', why: 'asked' }],
      [{ graceMs: 200 }],
    ]);
    expect(lines()).toContain('int');
    expect(await eventually(() => !isAlive(Number(readFileSync(join(dir, 'pid'), 'utf8'))))).toBe(true);
  });

  it('that ends by itself leaves nothing of its group behind', async () => {
    const { child, dir, factsOf } = supervise('sleep 60 & echo $! > $DIR/pid; exit 6');
    expect(await child.start()).toEqual({ status: 6 });
    expect(factsOf('child-stopping')).toMatchObject([{ why: 'exited', signal: 'SIGTERM' }]);
    expect(await eventually(() => !isAlive(Number(readFileSync(join(dir, 'pid'), 'utf8'))))).toBe(true);
  });
});

it('two restarts that are asked for at the same time are one', async () => {
  const { child, change, lines, factsOf } = supervise(
    `trap 'echo term >> $DIR/lines; sleep 0.2; exit' TERM; ${WRITE}; ${LOOP}`,
  );
  void child.start();
  await eventually(() => lines().length === 1);
  expect(await Promise.all([change(2), child.restart('outputs.o.reload[0]')])).toEqual([undefined, undefined]);
  expect(await eventually(() => lines().length === 3)).toBe(true);
  expect([lines(), child.starts, factsOf('child-stopping').length]).toEqual([['1', 'term', '2'], 2, 1]);
});

describe('with onExit: restart', () => {
  it('the child starts again with backoff from 1 s to 1 m, and from the beginning when it has lived for a minute', async () => {
    const clock = new FakeClock();
    const { child, factsOf, dir } = supervise(
      '[ -e $DIR/stay ] && exec sleep 600; exit 3',
      { onExit: 'restart' },
      clock,
    );
    void child.start();
    const ended = async (count: number) => {
      expect(await eventually(() => factsOf('child-ended').length === count && clock.waiting > 0)).toBe(true);
      return factsOf('child-ended').at(-1)?.retryInMs ?? 0;
    };
    const waits: number[] = [];
    for (let count = 1; count <= 9; count++) {
      const retryInMs = await ended(count);
      waits.push(retryInMs);
      if (count === 9) appendFileSync(join(dir, 'stay'), '');
      await clock.advance(retryInMs - 1);
      expect(child.starts).toBe(count);
      await clock.advance(1);
      expect(child.starts).toBe(count + 1);
    }
    // Full jitter with random 0.5: the middle between the floor and 1, 2, 4 … 60 s.
    expect(waits).toEqual([1_000, 1_500, 2_500, 4_500, 8_500, 16_500, 30_500, 30_500, 30_500]);
    await clock.advance(60_000);
    process.kill(factsOf('child-started').at(-1)?.pid ?? 0, 'SIGKILL');
    expect(await ended(10)).toBe(1_000);
  });

  it('new values end the pause', async () => {
    const clock = new FakeClock();
    const { child, change, factsOf } = supervise(
      '[ "$GENERATION" = 1 ] && exit 3; exec sleep 60',
      { onExit: 'restart' },
      clock,
    );
    void child.start();
    await eventually(() => factsOf('child-ended').length === 1 && clock.waiting > 0);
    await change(2);
    expect(factsOf('child-started')).toMatchObject([{ why: 'first' }, { why: 'changed' }]);
    expect(clock.waiting).toBe(0);
  });

  it('a stop ends the pause, and exec ends with the last status', async () => {
    const clock = new FakeClock();
    const { child, factsOf } = supervise('exit 3', { onExit: 'restart' }, clock);
    const over = child.start();
    await eventually(() => factsOf('child-ended').length === 1 && clock.waiting > 0);
    child.stop('SIGTERM');
    expect(await over).toEqual({ status: 3 });
  });
});

describe.runIf(process.platform === 'linux')('a reload signal', () => {
  it('is not sent to a child that does not handle it yet: it would end it', async () => {
    const program = `import os, signal, time
dir = os.environ["DIR"]
tell = lambda what: open(dir + "/lines", "a").write(what + chr(10))
tell("started")
while not os.path.exists(dir + "/go"): time.sleep(0.02)
signal.signal(signal.SIGHUP, lambda *_: tell("hup"))
tell("ready")
while True: time.sleep(0.05)`;
    const { child, dir, lines } = supervise('', { argv: ['python3', '-c', program] });
    void child.start();
    await eventually(() => lines().includes('started'));
    expect(await child.signal('SIGHUP', 'here')).toMatchObject({ code: 'RELOAD_NO_HANDLER', place: 'here' });
    writeFileSync(join(dir, 'go'), '');
    await eventually(() => lines().includes('ready'));
    expect(await child.signal('SIGHUP', 'here')).toBeUndefined();
    expect(await eventually(() => lines().includes('hup'))).toBe(true);
    expect(await child.signal('SIGWINCH', 'here')).toBeUndefined();
  });

  it('is not sent, without a failure, where there is no child: the next one reads everything anew', async () => {
    const { child } = supervise('exit 0');
    expect(await child.signal('SIGHUP', 'here')).toBeUndefined();
    await child.start();
    expect(await child.signal('SIGHUP', 'here')).toBeUndefined();
  });
});
