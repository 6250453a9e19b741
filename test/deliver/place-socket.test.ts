import { copyFileSync, linkSync, lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { askOwner } from '../../src/deliver/file/take-over.ts';
import { type Found, placeSocket } from '../../src/deliver/place-socket.ts';
import { useScratch } from './file/file-sink.helpers.ts';
import { leaveDead } from './sockets.helpers.ts';

const scratch = useScratch();
const closes: (() => unknown)[] = [];
afterEach(() => Promise.all(closes.splice(0).map((close) => close())));

/** A socket that listens at a name of its own in the directory. */
async function listening(dir: string, name: string): Promise<string> {
  const path = join(dir, name);
  const server = createServer((socket) => void socket.on('error', () => {}).end());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closes.push(() => new Promise((resolve) => server.close(resolve)));
  return path;
}

const look = async (path: string): Promise<Found<'live'>> => {
  const found = await askOwner(path);
  return typeof found === 'string' ? found : 'live';
};

const isAt = (path: string, staged: string) => lstatSync(path).ino === lstatSync(staged).ino;

/** Looks, and then waits until the test lets it go on, at its call of the given number. */
function heldUp(atCall: number) {
  const { promise: isHeld, resolve: held } = Promise.withResolvers<void>();
  const { promise: goesOn, resolve: goOn } = Promise.withResolvers<void>();
  let calls = 0;
  const slowLook = async (path: string) => {
    const found = await look(path);
    if (++calls !== atCall) return found;
    held();
    await goesOn;
    return found;
  };
  return { isHeld, goOn, look: slowLook };
}

describe('a socket that is put in its place', () => {
  it('is refused by a living one, and replaces a dead one; nothing else is left', async () => {
    const dir = scratch();
    const [path, a, b] = [join(dir, 's'), await listening(dir, 'a'), await listening(dir, 'b')];
    leaveDead(path);
    expect([await placeSocket(a, path, look), await placeSocket(b, path, look)]).toEqual(['placed', 'live']);
    expect(isAt(path, a)).toBe(true);
    expect(readdirSync(dir)).toEqual(['a', 'b', 's']);
  });

  it('does not replace a faster one, although it had found the one before dead', async () => {
    const dir = scratch();
    const [path, fast, slow] = [join(dir, 's'), await listening(dir, 'fast'), await listening(dir, 'slow')];
    leaveDead(path);
    const late = heldUp(1);
    const placed = placeSocket(slow, path, late.look);
    await late.isHeld;
    expect(await placeSocket(fast, path, look)).toBe('placed');
    late.goOn();
    expect([await placed, readdirSync(dir)]).toEqual(['live', ['fast', 's', 'slow']]);
  });

  it('is refused while another process is about to replace the dead one, however long that takes', async () => {
    const dir = scratch();
    const [path, fast, slow] = [join(dir, 's'), await listening(dir, 'fast'), await listening(dir, 'slow')];
    leaveDead(path);
    const late = heldUp(2); // the look with the lock
    const placed = placeSocket(slow, path, late.look);
    await late.isHeld;
    expect(await placeSocket(fast, path, look)).toBe('live');
    late.goOn();
    expect([await placed, readdirSync(dir)]).toEqual(['placed', ['fast', 's', 'slow']]);
  });

  it.each([1, 2])('replaces a dead one after %i processes were killed while they did', async (killed) => {
    const dir = scratch();
    const [path, a] = [join(dir, 's'), await listening(dir, 'a')];
    for (let depth = 0; depth <= killed; depth++) leaveDead(path + '_lock'.repeat(depth));
    expect([await placeSocket(a, path, look), readdirSync(dir)]).toEqual(['placed', ['a', 's']]);
  });

  it('comes at once where the dead one is removed meanwhile, and gives way to one that came then', async () => {
    const dir = scratch();
    const [path, a, b] = [join(dir, 's'), await listening(dir, 'a'), await listening(dir, 'b')];
    const removes = async (at: string) => {
      const found = await look(at);
      if (found === 'dead') unlinkSync(at);
      return found;
    };
    leaveDead(path);
    expect([await placeSocket(a, path, removes), readdirSync(dir)]).toEqual(['placed', ['a', 'b', 's']]);
    unlinkSync(path);
    leaveDead(path);
    let looks = 0;
    const comes = async (at: string) => {
      if (++looks === 2) {
        unlinkSync(path);
        linkSync(b, path);
      }
      return await look(at);
    };
    expect([await placeSocket(a, path, comes), isAt(path, b)]).toEqual(['live', true]);
  });

  it('leaves no lock when a look fails', async () => {
    const dir = scratch();
    const [path, a] = [join(dir, 's'), await listening(dir, 'a')];
    leaveDead(path);
    let looks = 0;
    const fails = async () => {
      if (++looks === 2) throw new Error('no look');
      return 'dead' as const;
    };
    await expect(placeSocket(a, path, fails)).rejects.toThrow('no look');
    expect(readdirSync(dir)).toEqual(['a', 's']);
  });

  it('ends with an error where something comes and goes for ever, or the own socket is gone', async () => {
    const dir = scratch();
    const [path, a] = [join(dir, 's'), await listening(dir, 'a')];
    copyFileSync('/dev/null', path);
    await expect(placeSocket(a, path, async () => 'nothing')).rejects.toMatchObject({ code: 'EEXIST' });
    unlinkSync(a);
    await expect(placeSocket(a, path, look)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(readdirSync(dir)).toEqual(['s']);
  });

  it('is one of twelve that come at once, in each of 100 rounds', async () => {
    const dir = scratch();
    const path = join(dir, 's');
    leaveDead(join(dir, 'dead'));
    const names = Array.from({ length: 12 }, (_, at) => `live-${at}`);
    const own = await Promise.all(names.map((name) => listening(dir, name)));
    for (let round = 0; round < 100; round++) {
      linkSync(join(dir, 'dead'), path);
      const placed = await Promise.all(own.map((name) => placeSocket(name, path, look)));
      expect(placed.filter((one) => one === 'placed')).toHaveLength(1);
      expect(isAt(path, own[placed.indexOf('placed')] as string)).toBe(true);
      unlinkSync(path);
      expect(readdirSync(dir).sort()).toEqual(['dead', ...names].sort());
    }
  });
});
