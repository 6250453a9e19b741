import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fail, type PannierError } from '../../src/base/errors.ts';
import { advised } from '../../src/cli/agent-advice.ts';
import { adviseOnSocket } from '../../src/cli/socket-advice.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'pannier-advice-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

async function listenAt(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(path, listening));
  onTestFinished(() => void server.close());
}

/** What another user than root sees, who owns nothing. */
function asNobody<T>(look: () => T): T {
  const before = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0, process.getgroups?.() ?? []] as const;
  process.setgroups?.([]);
  process.setegid?.(65_534);
  process.seteuid?.(65_534);
  try {
    return look();
  } finally {
    process.seteuid?.(before[0]);
    process.setegid?.(before[1]);
    process.setgroups?.([...before[2]]);
  }
}

describe('advice about a socket that cannot be connected to', () => {
  it('says where the path comes from, and which sockets there are beside it', async () => {
    const dir = folder();
    await listenAt(join(dir, 'a.sock'));
    writeFileSync(join(dir, 'file'), '');
    const { seen, hint } = adviseOnSocket({ kind: 'unix', path: join(dir, 'nope.sock'), from: 'PANNIER_SOCKET' });
    expect(seen).toBeUndefined();
    expect(hint).toMatch(/^The path comes from PANNIER_SOCKET\. Start the agent, or name its socket with --socket/);
    expect(hint).toContain(`There is a socket at ${join(dir, 'a.sock')}.`);
  });

  it('tells a file from a socket', () => {
    const path = join(folder(), 'file');
    writeFileSync(path, '');
    expect(adviseOnSocket({ kind: 'unix', path }).seen).toBe('this is no socket');
  });

  it.runIf(process.geteuid?.() === 0)(
    'tells mode and owner when they do not let the user in, and who they let in',
    async () => {
      const dir = folder();
      chmodSync(dir, 0o755);
      const path = join(dir, 'a.sock');
      await listenAt(path);
      const { uid, gid } = statSync(path);
      const advice = (mode: number) => {
        chmodSync(path, mode);
        return asNobody(() => adviseOnSocket({ kind: 'unix', path }));
      };
      const seen = (mode: string) =>
        `the socket has mode ${mode}, uid ${uid}, gid ${gid}, and this command runs as uid 65534`;
      expect(advice(0o600)).toMatchObject({
        seen: seen('0600'),
        hint: expect.stringContaining(`as uid ${uid}, or open`),
      });
      expect(advice(0o660)).toMatchObject({
        seen: seen('0660'),
        hint: expect.stringContaining(`or in the group ${gid}`),
      });
      expect(advice(0o666).seen).toBeUndefined();
    },
  );

  it.runIf(process.geteuid?.() === 0)('tells the directory that does not let the user in', () => {
    const dir = folder();
    chmodSync(dir, 0o755);
    mkdirSync(join(dir, 'shut/inner'), { recursive: true });
    chmodSync(join(dir, 'shut'), 0o700);
    const advice = asNobody(() => adviseOnSocket({ kind: 'unix', path: join(dir, 'shut/inner/a.sock') }));
    expect(advice.seen).toBe(`the directory ${join(dir, 'shut')} does not let uid 65534 in`);
  });
});

describe('advice about an agent that refuses', () => {
  const at = { kind: 'tcp', host: '127.0.0.1', port: 1, from: '--socket' } as const;
  const hintOf = (error: unknown) => (advised(error, at) as PannierError).failure.hint;

  it('names the variable for the token, and where an address comes from', () => {
    expect(hintOf(fail('API_TOKEN', 'x', 'no token'))).toContain('PANNIER_TOKEN_FILE');
    expect(hintOf(fail('AGENT_UNREACHABLE', 'x', 'y'))).toMatch(/^The address comes from --socket\. Start the agent/);
  });

  it('leaves every other error as it is', () => {
    const other = fail('AGENT_SILENT', 'x', 'y');
    expect(advised(other, at)).toBe(other);
    expect(advised(undefined, at)).toBeUndefined();
  });
});
