import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ListenConfig } from '../../../src/config/config.ts';
import { bind } from '../../../src/deliver/http/bind.ts';
import { planSocketFolder, type UnixListen } from '../../../src/deliver/http/socket-folder.ts';
import { ATTACKER, attackerMissing, giveToAttacker } from '../attacker.helpers.ts';
import { place } from './listener.helpers.ts';

/** A group and a user that are not the agent's. */
const OTHER = 45_678;
const isRoot = process.getuid?.() === 0;

const unix = (path: string, mode = 0o600, owner: object = {}): UnixListen => ({ kind: 'unix', path, mode, ...owner });

async function open(where: UnixListen, all?: readonly ListenConfig[]) {
  const server = createServer();
  onTestFinished(() => void server.close());
  return await bind(server, { where, place: 'api', ...(all === undefined ? {} : { all }) });
}

const mode = (path: string) => (lstatSync(path).mode & 0o7777).toString(8);

describe('the mode of a new directory of sockets', () => {
  it.each<[string, readonly Partial<UnixListen>[], object]>([
    ['only the agent may connect', [{}], { mode: 0o700 }],
    ['a mode that lets a group connect lets it pass', [{ mode: 0o660, gid: 7 }], { mode: 0o710, gid: 7 }],
    ['without gid that is the group of the agent', [{ mode: 0o660 }], { mode: 0o710 }],
    ['a gid whose group may not connect', [{ mode: 0o600, gid: 7 }], { mode: 0o700 }],
    ['a group that may only read the socket file', [{ mode: 0o640, gid: 7 }], { mode: 0o700 }],
    ['all may connect', [{ mode: 0o666 }], { mode: 0o711 }],
    ['an owner that is not the agent', [{ mode: 0o600, uid: 7 }], { mode: 0o711 }],
    ['the owner is the agent', [{ mode: 0o600, uid: 1 }], { mode: 0o700 }],
    ['the strictest socket first', [{}, { mode: 0o660, gid: 7 }], { mode: 0o710, gid: 7 }],
    [
      'two groups',
      [
        { mode: 0o660, gid: 7 },
        { mode: 0o660, gid: 8 },
      ],
      { mode: 0o711 },
    ],
    [
      'two sockets of one group',
      [
        { mode: 0o660, gid: 7 },
        { mode: 0o620, gid: 7 },
      ],
      { mode: 0o710, gid: 7 },
    ],
  ])('%s', (_, sockets, plan) => {
    const all = sockets.map(
      (one, index): UnixListen => ({ kind: 'unix', path: `/run/x/${index}`, mode: 0o600, ...one }),
    );
    expect(planSocketFolder(all, 1)).toEqual(plan);
  });
});

describe('the directory of a unix socket', () => {
  it('is made when it is missing, private, whatever the umask is', async () => {
    const dir = join(place(), 'run');
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    await open(unix(join(dir, 's')));
    expect([mode(dir), readdirSync(dir)]).toEqual(['700', ['s']]);
    process.umask(0o777);
    const strict = join(place(), 'run');
    await open(unix(join(strict, 's'), 0o660));
    process.umask(before);
    expect([mode(strict), readdirSync(strict)]).toEqual(['710', ['s']]);
  });

  it.runIf(isRoot)('gets the group that may connect, so that a member of it can', async () => {
    const base = place();
    chmodSync(base, 0o755);
    const dir = join(base, 'run');
    await open(unix(join(dir, 's'), 0o660, { gid: OTHER }));
    const { uid, gid } = lstatSync(dir);
    expect([mode(dir), uid, gid]).toEqual(['710', 0, OTHER]);
    const connects = (who: { uid: number; gid: number }) => {
      const script = `require('net').connect(${JSON.stringify(join(dir, 's'))})
        .on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
      return spawnSync(process.execPath, ['-e', script], who).status === 0;
    };
    expect(connects({ uid: OTHER, gid: OTHER })).toBe(true);
    expect(connects({ uid: OTHER, gid: OTHER + 1 })).toBe(false);
  });

  it('lets the clients of every socket of the configuration pass, whichever is opened first', async () => {
    const dir = join(place(), 'run');
    const all: readonly ListenConfig[] = [
      unix(join(dir, 'control')),
      { kind: 'tcp', host: '127.0.0.1', port: 1 },
      unix(join(dir, 'api'), 0o666),
      unix(join(place(), 'elsewhere'), 0o600),
    ];
    await open(all[0] as UnixListen, all);
    expect(mode(dir)).toBe('711');
  });

  it('is never changed when it exists', async () => {
    const dir = join(place(), 'run');
    mkdirSync(dir, { mode: 0o750 });
    chmodSync(dir, 0o750);
    await open(unix(join(dir, 's'), 0o666));
    expect(mode(dir)).toBe('750');
  });

  it('stays when the socket is released, and when the socket cannot be opened', async () => {
    const dir = join(place(), 'run');
    const bound = await open(unix(join(dir, 's')));
    await bound.release();
    expect([existsSync(dir), readdirSync(dir)]).toEqual([true, []]);
  });

  it('is made anew for a socket whose directory was removed', async () => {
    const dir = join(place(), 'run');
    const bound = await open(unix(join(dir, 's')));
    rmSync(dir, { recursive: true });
    expect(await bound.isInPlace()).toBe(false);
    await open(unix(join(dir, 's')));
    expect(readdirSync(dir)).toEqual(['s']);
  });

  it('is not made when its own directory is missing too, which the failure names', async () => {
    const parent = join(place(), 'no');
    await expect(open(unix(join(parent, 'run/s')))).rejects.toMatchObject({
      failure: {
        code: 'LISTEN_FAILED',
        place: 'api',
        seen: `${parent} does not exist, so the directory ${parent}/run cannot be made`,
        hint: `Make ${parent}: only the last directory is made for a socket.`,
      },
    });
    expect(existsSync(parent)).toBe(false);
  });

  it('that cannot be made says why', async () => {
    await expect(open(unix('/proc/pannier/s'))).rejects.toMatchObject({
      failure: {
        code: 'LISTEN_FAILED',
        seen: expect.stringMatching(/^the directory \/proc\/pannier does not exist and cannot be made \(E[A-Z]+\)$/),
      },
    });
  });

  it('is not made where a symlink leads nowhere', async () => {
    const base = place();
    symlinkSync('elsewhere', join(base, 'run'));
    await expect(open(unix(join(base, 'run/s')))).rejects.toMatchObject({ failure: { code: 'LISTEN_FAILED' } });
    expect(readdirSync(base)).toEqual(['run']);
  });

  it('that cannot get its group is not left behind', async () => {
    const dir = join(place(), 'run');
    // No system takes this id: (gid_t) -1 means "leave it", and larger ones do not fit.
    const failed = open(unix(join(dir, 's'), 0o660, { gid: 2 ** 32 }));
    await expect(failed).rejects.toMatchObject({ failure: { code: 'LISTEN_FAILED', place: 'api' } });
    expect(existsSync(dir)).toBe(false);
  });
});

describe.skipIf(attackerMissing !== undefined)('the directory of a unix socket below that of another user', () => {
  it('is not made behind a symlink that this user can exchange', async () => {
    const base = place();
    chmodSync(base, 0o755);
    for (const name of ['app', 'elsewhere']) mkdirSync(join(base, name));
    symlinkSync('../elsewhere', join(base, 'app/var'));
    giveToAttacker(join(base, 'app'));
    await expect(open(unix(join(base, 'app/var/run/s')))).rejects.toMatchObject({
      failure: { code: 'LISTEN_FAILED', seen: expect.stringContaining('is a symlink') },
    });
    expect(readdirSync(join(base, 'elsewhere'))).toEqual([]);
  });

  it('is made for the agent, which owns it', async () => {
    const base = place();
    chmodSync(base, 0o755);
    const app = join(base, 'app');
    mkdirSync(app);
    giveToAttacker(app);
    await open(unix(join(app, 'run/s'), 0o660, { uid: ATTACKER, gid: ATTACKER }));
    const { uid, gid } = lstatSync(join(app, 'run'));
    expect([uid, gid, mode(join(app, 'run'))]).toEqual([0, ATTACKER, '711']);
  });
});
