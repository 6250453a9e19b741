import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bind } from '../../../src/deliver/http/bind.ts';
import { ATTACKER, attackerMissing, clear, giveToAttacker, startAttacker } from '../attacker.helpers.ts';
import { leaveDead } from '../sockets.helpers.ts';
import { place } from './listener.helpers.ts';

const at = (path: string, mode = 0o600) => ({ where: { kind: 'unix', path, mode } as const, place: 'api' });

function server() {
  const made = createServer();
  onTestFinished(() => void made.close());
  return made;
}

describe('a unix socket', () => {
  it('is private unless a mode is set, and nothing else is left beside it', async () => {
    const path = join(place(), 's');
    await bind(server(), at(path));
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(path))).toEqual(['s']);
    const open = join(place(), 's');
    await bind(server(), at(open, 0o660));
    expect(lstatSync(open).mode & 0o777).toBe(0o660);
  });

  it('is never at its path with another mode than its own, whatever the umask is', async () => {
    const path = join(place(), 's');
    const before = process.umask(0);
    const modes = new Set<number>();
    let isBound = false;
    const looking = (async () => {
      while (!isBound) {
        if (existsSync(path)) modes.add(lstatSync(path).mode & 0o777);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    try {
      await bind(server(), at(path, 0o640));
    } finally {
      process.umask(before);
      isBound = true;
    }
    await looking;
    modes.add(lstatSync(path).mode & 0o777);
    expect([...modes]).toEqual([0o640]);
  });

  it('of a live process is refused', async () => {
    const path = join(place(), 's');
    await bind(server(), at(path));
    await expect(bind(server(), at(path))).rejects.toMatchObject({ failure: { code: 'LISTEN_IN_USE', place: 'api' } });
    expect(existsSync(path)).toBe(true);
  });

  it.runIf(process.geteuid?.() === 0)('of another user who lets nobody ask is not said to be listened on', async () => {
    const dir = place();
    const path = join(dir, 's');
    await bind(server(), at(path));
    chmodSync(dir, 0o777);
    process.seteuid?.(65_534);
    try {
      await expect(bind(server(), at(path))).rejects.toMatchObject({
        failure: {
          code: 'LISTEN_IN_USE',
          seen: `another user's process may listen on ${path}`,
          hint: 'End the process that listens there, or remove the file if there is none.',
        },
      });
    } finally {
      process.seteuid?.(0);
    }
  });

  it('of a dead process is not replaced where something else has the name of the lock, which is told', async () => {
    const path = join(place(), 's');
    leaveDead(path);
    writeFileSync(`${path}_lock`, '');
    await expect(bind(server(), at(path))).rejects.toMatchObject({
      failure: { code: 'LISTEN_OCCUPIED', seen: `${path}_lock exists and is not a socket` },
    });
  });

  it('of a dead process is replaced', async () => {
    const path = join(place(), 's');
    const dead = server();
    await bind(dead, at(path));
    await new Promise((resolve) => dead.close(resolve));
    expect(existsSync(path)).toBe(true); // it was not released
    await bind(server(), at(path));
    await expect(bind(server(), at(path))).rejects.toMatchObject({ failure: { code: 'LISTEN_IN_USE' } });
  });

  it('does not replace a file or a directory', async () => {
    const file = join(place(), 's');
    writeFileSync(file, 'mine');
    await expect(bind(server(), at(file))).rejects.toMatchObject({ failure: { code: 'LISTEN_OCCUPIED' } });
    const folder = join(place(), 's');
    mkdirSync(folder);
    await expect(bind(server(), at(folder))).rejects.toMatchObject({ failure: { code: 'LISTEN_OCCUPIED' } });
  });

  it('with a path that is too long is refused', async () => {
    const long = join(place(), 'x'.repeat(100));
    await expect(bind(server(), at(long))).rejects.toMatchObject({ failure: { code: 'LISTEN_FAILED' } });
  });

  it('is removed on release, unless another one has taken its path', async () => {
    const path = join(place(), 's');
    const first = await bind(server(), at(path));
    const second = await bind(server(), { ...at(path), replaces: true });
    expect([await first.isInPlace(), await second.isInPlace()]).toEqual([true, false]);
    await second.takePlace();
    expect([await first.isInPlace(), await second.isInPlace()]).toEqual([false, true]);
    expect(readdirSync(dirname(path))).toEqual(['s']);
    await first.release();
    expect(existsSync(path)).toBe(true);
    await second.release();
    expect(existsSync(path)).toBe(false);
  });
});

it('a unix socket that is released before it replaces another leaves the other alone', async () => {
  const path = join(place(), 's');
  const first = await bind(server(), at(path));
  const second = await bind(server(), { ...at(path, 0o660), replaces: true });
  await second.release();
  expect([await first.isInPlace(), readdirSync(dirname(path))]).toEqual([true, ['s']]);
});

describe('the private directories beside a unix socket that killed processes have left', () => {
  const OLD = 1_000_000;

  /** A folder for sockets, and how private directories get there. */
  function folder() {
    const dir = place();
    return {
      dir,
      async make(name: string, holds: 'nothing' | 'a dead socket' | 'a live socket' | 'a file', mode = 0o700) {
        const made = join(dir, name);
        mkdirSync(made, { mode });
        chmodSync(made, mode);
        if (holds === 'a file') writeFileSync(join(made, 's'), 'mine');
        if (holds.endsWith('socket')) {
          const one = server();
          await new Promise<void>((done) => one.listen(join(made, 'made'), done));
          renameSync(join(made, 'made'), join(made, 's'));
          if (holds === 'a dead socket') await new Promise((done) => one.close(done));
        }
        utimesSync(made, OLD, OLD);
        return made;
      },
    };
  }

  it('are removed when a socket is bound there again', async () => {
    const { dir, make } = folder();
    await make('.pAAAAAA', 'nothing');
    await make('.p0zZ9aB', 'a dead socket');
    await bind(server(), at(join(dir, 'api.sock')));
    expect(readdirSync(dir)).toEqual(['api.sock']);
  });

  it('are left alone when they are in use, or may belong to somebody else', async () => {
    const { dir, make } = folder();
    const young = await make('.pAAAAAA', 'a dead socket');
    utimesSync(young, Date.now() / 1000, Date.now() / 1000);
    await make('.pBBBBBB', 'a live socket');
    await make('.pCCCCCC', 'a file');
    await make('.pDDDDDD', 'nothing', 0o755);
    await make('.pEEEEEEE', 'nothing');
    await make('.qFFFFFF', 'nothing');
    const two = await make('.pGGGGGG', 'a dead socket');
    writeFileSync(join(two, 't'), '');
    utimesSync(two, OLD, OLD);
    symlinkSync(await make('elsewhere', 'a dead socket'), join(dir, '.pHHHHHH'));
    writeFileSync(join(dir, '.pIIIIII'), '');
    utimesSync(join(dir, '.pIIIIII'), OLD, OLD);
    const before = readdirSync(dir, { recursive: true });
    await bind(server(), at(join(dir, 'api.sock')));
    expect(readdirSync(dir, { recursive: true }).toSorted()).toEqual([...before, 'api.sock'].toSorted());
  });

  it.skipIf(attackerMissing !== undefined)('are left alone when they are of another user', async () => {
    const { dir, make } = folder();
    giveToAttacker(await make('.pAAAAAA', 'nothing'), await make('.pBBBBBB', 'a dead socket'));
    giveToAttacker(join(await make('.pCCCCCC', 'a dead socket'), 's')); // made for that user by a process of this one
    await bind(server(), at(join(dir, 'api.sock')));
    expect(readdirSync(dir).toSorted()).toEqual(['.pAAAAAA', '.pBBBBBB', 'api.sock']);
    expect(readdirSync(join(dir, '.pBBBBBB'))).toEqual(['s']);
  });
});

describe('a TCP port', () => {
  it('that another listener uses is refused', async () => {
    const first = server();
    await bind(first, { where: { kind: 'tcp', host: '127.0.0.1', port: 0 }, place: 'admin' });
    const { port } = first.address() as { port: number };
    const again = bind(server(), { where: { kind: 'tcp', host: '127.0.0.1', port }, place: 'admin' });
    await expect(again).rejects.toMatchObject({ failure: { code: 'LISTEN_IN_USE', place: 'admin' } });
  });
});

describe.skipIf(attackerMissing !== undefined)('a unix socket in a directory of another user', () => {
  it('gives its owner and mode to no other file when that user exchanges its private directory', async () => {
    const base = place();
    chmodSync(base, 0o755);
    const run = join(base, 'run');
    mkdirSync(run);
    giveToAttacker(run);
    const victim = join(base, 'victim');
    writeFileSync(victim, 'theirs', { mode: 0o600 });
    const decoy = join(run, 'decoy');
    mkdirSync(decoy);
    await using _attacker = await startAttacker('meet', run, '.p', decoy);
    for (let round = 0; round < 40; round++) {
      mkdirSync(decoy, { recursive: true });
      if (!existsSync(join(decoy, 's'))) symlinkSync(victim, join(decoy, 's'));
      giveToAttacker(decoy);
      const path = join(run, 'api.sock');
      const where = { kind: 'unix', path, mode: 0o660, uid: ATTACKER, gid: ATTACKER } as const;
      await bind(server(), { where, place: 'api' }).catch((error: unknown) => {
        expect(error).toMatchObject({ failure: { code: expect.stringMatching(/^LISTEN_/) } });
      });
      const { uid, mode } = lstatSync(victim);
      expect([uid, mode & 0o777], `round ${round}`).toEqual([0, 0o600]);
      await clear(run);
    }
  });

  it('is not made behind a symlink that this user can exchange', async () => {
    const base = place();
    for (const name of ['app', 'elsewhere']) mkdirSync(join(base, name));
    symlinkSync('../elsewhere', join(base, 'app/run'));
    giveToAttacker(join(base, 'app'));
    await expect(bind(server(), at(join(base, 'app/run/s')))).rejects.toMatchObject({
      failure: { code: 'LISTEN_FAILED', seen: expect.stringContaining(join(base, 'app/run is a symlink')) },
    });
    expect(readdirSync(join(base, 'elsewhere'))).toEqual([]);
    symlinkSync('elsewhere', join(base, 'run'));
    await bind(server(), at(join(base, 'run/s')));
    expect(readdirSync(join(base, 'elsewhere'))).toEqual(['s']);
  });
});
