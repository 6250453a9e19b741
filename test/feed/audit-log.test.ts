import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Failure, fail } from '../../src/base/errors.ts';
import { AuditLog, SILENT_MS } from '../../src/feed/audit-log.ts';
import { FakeClock } from '../fake-clock.ts';

const line = (operation: string, path: string) =>
  `${JSON.stringify({ time: '2026-11-30T17:40:33Z', type: 'response', request: { operation, path } })}\n`;

let dir: string;
let path: string;
let log: AuditLog | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pannier-audit-'));
  path = join(dir, 'audit.log');
  await writeFile(path, '');
});
afterEach(async () => {
  await log?.[Symbol.asyncDispose]();
  log = undefined;
  await rm(dir, { recursive: true, force: true });
});

/** Follows the log of a server that writes each probe into it, until `server` says something else. */
function follow() {
  const clock = new FakeClock();
  const heard: string[] = [];
  const lives: (Failure | undefined)[] = [];
  const server = { writes: true, answers: true, isStandby: false, probes: 0 };
  log = new AuditLog({
    path,
    place: 'backends.bao.events.auditFile',
    clock,
    async probe(name) {
      server.probes++;
      if (!server.answers) throw fail('BACKEND_UNREACHABLE', 'backends.bao', 'no answer');
      if (server.isStandby) return 'elsewhere';
      if (server.writes) await appendFile(path, line('read', `sys/internal/ui/mounts/${name}`));
      return 'here';
    },
    listener: {
      changed: (change) => heard.push(change.path),
      gap: () => heard.push('gap'),
      live: (why) => lives.push(why),
    },
  });
  const state = () => (lives.length === 0 ? 'unknown' : (lives.at(-1)?.seen ?? 'live'));
  /** Lets the clock go on until the state is `expected`: files are read at the machine's own speed. */
  const becomes = (expected: string | RegExp) =>
    expect
      .poll(
        async () => {
          await clock.advance(500);
          return state();
        },
        { timeout: 20_000 },
      )
      .toMatch(expected);
  /** What was heard, after a moment of the clock. */
  const hears = async () => {
    await clock.advance(500);
    return heard;
  };
  return { clock, heard, hears, server, state, becomes };
}

describe('AuditLog', () => {
  it('is live once a request of its own is in the log, and tells changes', async () => {
    const { becomes, hears } = follow();
    await becomes('live');
    await appendFile(path, line('update', 'secret/data/shop'));
    await expect.poll(hears).toEqual(['secret/data/shop']);
  });

  it('is not live while the server writes elsewhere, and is when it writes there again', async () => {
    const { becomes, server } = follow();
    await becomes('live');
    server.writes = false;
    await becomes(/has no line of a request that the server has answered/);
    server.writes = true;
    await becomes('live');
  });

  it('is not live while the server does not answer', async () => {
    const { becomes, server } = follow();
    server.answers = false;
    await becomes(/cannot be proven: no answer/);
    server.answers = true;
    await becomes('live');
  });

  it('is live beside a standby, which has no lines of its own', async () => {
    const { becomes, server } = follow();
    server.isStandby = true;
    server.writes = false;
    await becomes('live');
  });

  it('asks the server nothing while other lines come', async () => {
    const { becomes, server, clock, hears } = follow();
    await becomes('live');
    const before = server.probes;
    for (let i = 1; i <= 6; i++) {
      await clock.advance(SILENT_MS / 2);
      await appendFile(path, line('update', `secret/${i}`));
      await expect.poll(hears).toHaveLength(i);
    }
    expect(server.probes).toBe(before);
  });

  it('says that a file holds no entries, and takes one such line for a gap', async () => {
    const { becomes, hears, server } = follow();
    await becomes('live');
    await appendFile(path, 'what is this\n');
    await expect.poll(hears).toEqual(['gap']);
    server.writes = false;
    await appendFile(path, 'what is this\n'.repeat(50));
    await becomes(/holds no entries of an audit log in JSON/);
  });

  it('names a file that does not exist', async () => {
    await rm(path);
    const { becomes } = follow();
    await becomes(/audit\.log does not exist/);
  });
});
