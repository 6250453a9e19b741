import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fact } from '../../../src/base/fact.ts';
import { type AuditWhere, openAudit } from '../../../src/log/audit/open.ts';
import { type AuditStream, CLOSE_MS, MAX_LINES } from '../../../src/log/audit/stream.ts';
import { useScratch } from '../../deliver/file/file-sink.helpers.ts';
import { FakeClock } from '../../fake-clock.ts';
import { eventually } from '../../system/agent.helpers.ts';

const scratch = useScratch();
let clock: FakeClock;
let inLog: string[];
let reports: Fact[];
let stream: AuditStream | undefined;
beforeEach(() => {
  clock = new FakeClock();
  [inLog, reports, stream] = [[], [], undefined];
});
afterEach(async () => {
  const closed = stream?.close();
  for (let i = 0; i < 12; i++) await clock.advance(CLOSE_MS / 10);
  await closed;
  expect(clock.waiting).toBe(0);
});

/** What a line is about; the line that tells of a loss says how many. */
const nameOf = (fact: Fact): string => {
  if (fact.kind === 'api-audit') return fact.secret ?? '';
  return fact.kind === 'audit-lost' ? `lost ${fact.lines}` : fact.kind;
};

async function open(where: AuditWhere, padding = ''): Promise<AuditStream> {
  stream = await openAudit(where, {
    ...{ clock, random: () => 0.5, isStdoutShared: false },
    form: (fact) => `${nameOf(fact)}${padding}\n`,
    otherwise: (fact) => void inLog.push(nameOf(fact)),
    report: (fact) => void reports.push(fact),
  });
  return stream;
}

const read = (secret: string | number): Fact => ({
  ...{ kind: 'api-audit', audit: true, where: 'unix:///s', action: 'read', outcome: 'done', secret: `${secret}` },
});
const add = (...secrets: (string | number)[]) => {
  for (const secret of secrets) stream?.add(read(secret));
};
const lost = () => reports.filter((fact) => fact.kind === 'audit-lost');
const warnings = () => reports.flatMap((fact) => (fact.kind === 'agent-warning' ? [fact.warning] : []));

interface Reader {
  readonly server: Server;
  readonly sockets: Socket[];
  text(): string;
  close(): Promise<void>;
}

async function listen(path: string, isSlow = false): Promise<Reader> {
  const sockets: Socket[] = [];
  let text = '';
  const server = createServer((socket) => {
    sockets.push(socket);
    if (isSlow) socket.pause();
    socket.on('data', (bytes) => {
      text += bytes.toString();
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    ...{ server, sockets },
    text: () => text,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

describe('the audit stream', () => {
  it('has written a line to a file when the call returns', async () => {
    const path = join(scratch(), 'audit.log');
    await open({ kind: 'file', path });
    add('a', 'b');
    expect(readFileSync(path, 'utf8')).toBe('a\nb\n');
  });

  it('keeps what a full disk does not take, has it in the log too, warns once, and writes it later', async () => {
    const [path, good] = [join(scratch(), 'link'), join(scratch(), 'good')];
    symlinkSync('/dev/full', path);
    await open({ kind: 'file', path });
    add('a', 'b');
    expect(inLog).toEqual(['a', 'b']);
    await clock.advance(40_000);
    expect(warnings()).toMatchObject([
      { code: 'LOG_FILE', place: 'log.auditFile', hint: expect.stringContaining('where the log goes') },
    ]);
    writeFileSync(good, '');
    symlinkSync(good, `${path}.next`);
    renameSync(`${path}.next`, path);
    await clock.advance(40_000);
    await eventually(() => expect(readFileSync(good, 'utf8')).toBe('a\nb\n'));
    add('c');
    expect([readFileSync(good, 'utf8'), inLog, lost()]).toEqual(['a\nb\nc\n', ['a', 'b'], []]);
  });

  it('does not wait for a slow reader of a pipe, and says in the stream how many lines are missing', async () => {
    const path = join(scratch(), 'fifo');
    spawnSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    await open({ kind: 'file', path }, '.'.repeat(100));
    add(...Array.from({ length: MAX_LINES + 2_000 }, (_, number) => number));
    expect(lost()).toMatchObject([{ lines: 1, again: false, failure: { code: 'LOG_AUDIT' } }]);
    const missing = inLog.length;
    expect(missing).toBeGreaterThan(100);

    let text = '';
    const bytes = Buffer.alloc(65_536);
    const drain = async () => {
      for (let tries = 0; tries < 60; tries++) {
        try {
          const count = readSync(reader, bytes);
          text += bytes.toString('utf8', 0, count);
        } catch {
          // It is empty now.
        }
        await clock.advance(100);
      }
    };
    await drain();
    add('after');
    await drain();
    closeSync(reader);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => line.replaceAll('.', ''));
    expect(lines.slice(-2)).toEqual([`lost ${missing}`, 'after']);
    expect(lines.length).toBe(MAX_LINES + 2_000 - missing + 2);
    // The number of all, of which the first was told at once.
    expect(lost().reduce((sum, fact) => sum + ('lines' in fact ? fact.lines : 0), 0)).toBe(missing);
    expect(lost().map((fact) => 'again' in fact && fact.again)).toEqual([false, true]);
  });

  it('connects to a socket again, and sends it what waited', async () => {
    const path = join(scratch(), 's');
    await open({ kind: 'socket', path });
    expect(warnings()).toMatchObject([{ code: 'LOG_AUDIT', place: 'log.auditTo' }]);
    add('a', 'b');
    expect(inLog).toEqual(['a', 'b']);
    const reader = await listen(path);
    await eventually(async () => {
      await clock.advance(10_000);
      expect(reader.text()).toBe('a\nb\n');
    });
    add('c');
    await eventually(() => expect(reader.text()).toBe('a\nb\nc\n'));
    await reader.close();
    await eventually(() => expect(warnings().length).toBe(2));
    add('d');
    const next = await listen(path);
    await eventually(async () => {
      await clock.advance(10_000);
      expect(next.text()).toBe('d\n');
    });
    expect([inLog, lost()]).toEqual([['a', 'b', 'd'], []]);
    await next.close();
  });

  it('does not wait for a slow reader of a socket, and loses nothing that there is room for', async () => {
    const path = join(scratch(), 's');
    const reader = await listen(path, true);
    await open({ kind: 'socket', path }, '.'.repeat(300));
    const all = Array.from({ length: 5_000 }, (_, number) => number);
    add(...all);
    expect(lost()).toEqual([]);
    await eventually(() => expect(reader.sockets.length).toBe(1));
    reader.sockets[0]?.resume();
    await eventually(() => {
      const names = reader
        .text()
        .trimEnd()
        .split('\n')
        .map((line) => line.replaceAll('.', ''));
      expect(names).toEqual(all.map(String));
    });
    expect([inLog, warnings()]).toEqual([[], []]);
    await reader.close();
  });

  it('ends within a bound when nobody reads, and the log has the lines that are left', async () => {
    const path = join(scratch(), 's');
    const reader = await listen(path, true);
    const own = await open({ kind: 'socket', path }, '.'.repeat(1_000));
    add(...Array.from({ length: 1_000 }, (_, number) => number));
    const closed = own.close();
    for (let i = 0; i < 12; i++) await clock.advance(CLOSE_MS / 10);
    await closed;
    const [told] = lost();
    expect(told).toMatchObject({ failure: { seen: 'the agent ended before they were written' } });
    expect(inLog.at(-1)).toBe('999');
    expect(inLog.length).toBeGreaterThan(100);
    await reader.close();
  });

  it.each([
    ['renamed, and made by the agent', () => {}],
    ['renamed, and made by the program that rotates', (path: string) => writeFileSync(path, '', { mode: 0o640 })],
  ])('follows a file that is %s, without a signal', async (_title, make) => {
    const path = join(scratch(), 'audit.log');
    await open({ kind: 'file', path });
    add('a');
    renameSync(path, `${path}.1`);
    make(path);
    let number = 0;
    await eventually(() => {
      add(`n${++number}`);
      expect(readFileSync(path, 'utf8')).toMatch(/^(?:n\d+\n)+$/);
    }, 10_000);
    const both = readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8');
    expect(both).toBe(['a', ...Array.from({ length: number }, (_, i) => `n${i + 1}`), ''].join('\n'));
  });

  it('goes on at the beginning of a file that is copied and truncated', async () => {
    const path = join(scratch(), 'audit.log');
    await open({ kind: 'file', path });
    add('a');
    writeFileSync(path, '');
    add('z');
    expect(readFileSync(path, 'utf8')).toBe('z\n');
  });
});
