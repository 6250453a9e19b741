import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../fake-clock.ts';
import {
  bytesOf,
  failureOf,
  isRoot,
  openSink,
  outputIn,
  publish,
  read,
  scratchRoot,
  useScratch,
} from './file-sink.helpers.ts';

const scratch = useScratch();
const FILES = { 'app.env': 'A=1\n', 'certs/tls.pem': 'PEM' };

/** A sink that has published FILES and looks at them. */
async function published(dir: string) {
  const clock = new FakeClock(Date.now());
  const sink = await openSink(outputIn(dir), clock);
  await publish(sink, FILES);
  const look = await sink.drift?.();
  if (look === undefined) throw new Error('this sink cannot look');
  await look.remember(bytesOf(FILES));
  const seen = async () => (await look.look()).map(({ of, seen: text }) => `${of}: ${text}`);
  /** Stages the files again and publishes them if that is needed, as a restore does. */
  const restore = async () => {
    const staged = await sink.stage(bytesOf(FILES));
    if (typeof staged === 'string') return staged;
    await staged.commit();
    await look.remember(bytesOf(FILES));
    return 'published';
  };
  return { sink, clock, look, seen, restore };
}

const wholes = (dir: string) => Object.fromEntries(Object.keys(FILES).map((name) => [name, read(dir, name)]));

/** What another process does, and what a look says of it. */
const CHANGES: readonly (readonly [what: string, change: (dir: string) => void, seen: readonly string[]])[] = [
  ['appends to a file', (dir) => appendFileSync(join(dir, 'app.env'), 'B=2\n'), ['content: app.env has other bytes']],
  [
    'changes a byte and puts the times back',
    (dir) => {
      const path = join(dir, '..g1/app.env');
      const { atime, mtime } = lstatSync(path);
      chmodSync(path, 0o600);
      writeFileSync(path, 'A=2\n');
      chmodSync(path, 0o400);
      utimesSync(path, atime, mtime);
    },
    ['content: app.env has other bytes'],
  ],
  [
    'empties a file',
    (dir) => truncateSync(join(dir, '..data/certs/tls.pem')),
    ['content: certs/tls.pem has other bytes'],
  ],
  [
    'edits a file with sed -i',
    (dir) => spawnSync('sed', ['-i', 's/1/2/', join(dir, 'app.env')]),
    ['content: app.env is no link any more'],
  ],
  [
    'edits a file with sed -i --follow-symlinks',
    (dir) => spawnSync('sed', ['-i', '--follow-symlinks', 's/1/2/', join(dir, 'app.env')]),
    ['content: app.env has other bytes'],
  ],
  [
    'replaces a file with an equal one of another mode',
    (dir) => {
      writeFileSync(join(dir, '..g1/new'), 'A=1\n', { mode: 0o644 });
      renameSync(join(dir, '..g1/new'), join(dir, '..g1/app.env'));
    },
    ['access: mode or owner of app.env'],
  ],
  ['makes a file readable', (dir) => chmodSync(join(dir, 'app.env'), 0o444), ['access: mode or owner of app.env']],
  ['opens a folder', (dir) => chmodSync(join(dir, '..g1/certs'), 0o755), ['access: mode or owner of certs']],
  ['opens the generation', (dir) => chmodSync(join(dir, '..g1'), 0o755), ['access: mode or owner of ..g1']],
  ['removes a file', (dir) => unlinkSync(join(dir, '..g1/app.env')), ['content: app.env is missing']],
  [
    'puts a folder in the place of a file',
    (dir) => {
      unlinkSync(join(dir, '..g1/app.env'));
      mkdirSync(join(dir, '..g1/app.env'));
    },
    ['content: app.env is no file any more'],
  ],
  [
    'removes a folder',
    (dir) => rmSync(join(dir, '..g1/certs'), { recursive: true }),
    ['content: certs is missing', 'content: certs/tls.pem is missing'],
  ],
  ['adds a file', (dir) => writeFileSync(join(dir, '..g1/certs/more.pem'), ''), ['content: certs has 1 more entry']],
  ['removes a link', (dir) => unlinkSync(join(dir, 'app.env')), ['content: app.env is missing']],
  [
    'lets a link lead elsewhere',
    (dir) => {
      unlinkSync(join(dir, 'app.env'));
      symlinkSync('/etc/passwd', join(dir, 'app.env'));
    },
    ['content: app.env leads elsewhere'],
  ],
  [
    'puts an empty folder in the place of a link',
    (dir) => {
      unlinkSync(join(dir, 'app.env'));
      mkdirSync(join(dir, 'app.env'));
    },
    ['content: app.env is no link any more'],
  ],
  ['removes ..data', (dir) => unlinkSync(join(dir, '..data')), ['content: ..data is missing']],
  [
    'lets ..data lead elsewhere',
    (dir) => {
      unlinkSync(join(dir, '..data'));
      symlinkSync('/tmp', join(dir, '..data'));
    },
    ['content: ..data leads elsewhere'],
  ],
  [
    'puts a file in the place of ..data',
    (dir) => {
      unlinkSync(join(dir, '..data'));
      writeFileSync(join(dir, '..data'), '');
    },
    ['content: ..data leads elsewhere'],
  ],
  [
    'lets ..data lead to another generation',
    (dir) => {
      mkdirSync(join(dir, '..g7'));
      unlinkSync(join(dir, '..data'));
      symlinkSync('..g7', join(dir, '..data'));
    },
    ['content: ..data leads to ..g7'],
  ],
  ['removes the generation', (dir) => rmSync(join(dir, '..g1'), { recursive: true }), ['content: ..g1 is missing']],
];

describe.each([
  ['on tmpfs', scratchRoot()],
  ['on a disk', tmpdir()],
])('a look at what is published, %s', (_, root) => {
  const place = useScratch(root);

  it.each(CHANGES)(
    'finds that another process %s, and publishing again puts it right',
    async (_what, change, wanted) => {
      const dir = place();
      const { seen, restore } = await published(dir);
      expect(await seen()).toEqual([]);
      change(dir);
      expect(await seen()).toEqual(wanted);
      expect(await restore()).toBe('published');
      expect(await seen()).toEqual([]);
      expect(wholes(dir)).toEqual(FILES);
    },
  );

  it.each(CHANGES)(
    'is not needed by the next process after another one %s: its start puts it right',
    async (_what, change) => {
      const dir = place();
      await published(dir);
      change(dir);
      const next = await openSink(outputIn(dir));
      await publish(next, FILES);
      expect(wholes(dir)).toEqual(FILES);
      expect(lstatSync(join(dir, 'app.env')).isSymbolicLink()).toBe(true);
    },
  );
});

describe('a look', () => {
  it.each<[string, (dir: string) => void]>([
    ['the directory is removed', (dir) => rmSync(dir, { recursive: true })],
    [
      'the directory is removed and made again',
      (dir) => {
        rmSync(dir, { recursive: true });
        mkdirSync(dir);
      },
    ],
    [
      'it is made again with a file under the name of a link',
      (dir) => {
        rmSync(dir, { recursive: true });
        mkdirSync(dir);
        writeFileSync(join(dir, 'app.env'), 'theirs');
      },
    ],
  ])('finds that %s, and publishing again puts it right', async (_, change) => {
    const dir = join(scratch(), 'out');
    const { seen, restore } = await published(dir);
    change(dir);
    expect(await seen()).toEqual([`content: ${dir} is gone, or another directory`]);
    expect(await restore()).toBe('published');
    expect(await seen()).toEqual([]);
    expect(wholes(dir)).toEqual(FILES);
  });

  it('finds that an empty tmpfs was mounted over the directory, or mounted anew, and publishing puts it right', async (context) => {
    const dir = scratch();
    const mount = () => spawnSync('mount', ['-t', 'tmpfs', 'none', dir]).status === 0;
    const { seen, restore } = await published(dir);
    context.skip(!mount(), 'nothing can be mounted here');
    try {
      expect(await seen()).toEqual([`content: ${dir} is gone, or another directory`]);
      expect([await restore(), await seen(), wholes(dir)]).toEqual(['published', [], FILES]);
      spawnSync('umount', ['-l', dir]);
      expect(mount()).toBe(true);
      expect((await seen()).length).toBeGreaterThan(0); // a file system may get the number of the one before
      expect([await restore(), await seen(), wholes(dir)]).toEqual(['published', [], FILES]);
    } finally {
      spawnSync('umount', ['-l', dir]);
    }
  });

  it('finds an owner that is another one', async (context) => {
    context.skip(!isRoot, 'only root can give files away');
    const dir = scratch();
    const { seen } = await published(dir);
    chownSync(join(dir, 'app.env'), 1234, 1234);
    expect(await seen()).toEqual(['access: mode or owner of app.env']);
  });

  it('finds nothing in a file that was touched, and nothing beside the files of the output', async () => {
    const dir = scratch();
    const { seen, restore } = await published(dir);
    utimesSync(join(dir, 'app.env'), 1, 1);
    writeFileSync(join(dir, 'theirs'), '');
    writeFileSync(join(dir, '..theirs'), '');
    expect(await seen()).toEqual([]);
    expect(await restore()).toBe('equal');
  });

  it('reads the files no more once two looks a second apart have compared them', async () => {
    const dir = scratch();
    const { seen, clock } = await published(dir);
    const atime = () => lstatSync(join(dir, '..g1/app.env')).atimeMs;
    const readBy = async () => {
      utimesSync(join(dir, '..g1/app.env'), 0, 0);
      await seen(); // stamps have changed, so this look and the next one compare
      await clock.advance(1_000);
      await seen();
    };
    await readBy();
    const before = atime();
    await clock.advance(30_000);
    await seen();
    expect(atime()).toBe(before);
  });

  it('remembers no bytes: what it holds of a file is an HMAC under a key that each process draws', async () => {
    const dir = scratch();
    const { look } = await published(dir);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const remembered = await (async () => {
      const files = bytesOf(FILES);
      await look.remember(files);
      return [...files.values()].map((bytes) => new WeakRef(bytes));
    })();
    await look.look();
    for (let tries = 0; tries < 20 && remembered.some((bytes) => bytes.deref() !== undefined); tries++) {
      await new Promise((resolve) => setImmediate(resolve)); // a WeakRef holds until the turn ends
      collect();
    }
    expect(remembered.map((bytes) => bytes.deref())).toEqual([undefined, undefined]);
  });

  it('finds nothing before it remembers, and nothing while something newer is published', async () => {
    const dir = scratch();
    const { sink, seen } = await published(dir);
    await publish(sink, { ...FILES, 'app.env': 'A=3\n' });
    expect(await seen()).toEqual([]);
  });

  it.each<[string, (path: string) => void, string]>([
    ['a link', (path) => unlinkSync(path), 'app.env'],
    ['..data', (path) => unlinkSync(path), '..data'],
  ])('never removes a folder that is not empty in the place of %s', async (_, remove, name) => {
    const dir = scratch();
    const { restore, seen } = await published(dir);
    remove(join(dir, name));
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'theirs'), 'theirs');
    expect(await failureOf(restore())).toMatchObject({
      code: 'OUTPUT_OCCUPIED',
      text: expect.stringContaining(`${join(dir, name)} is a directory that is not empty`),
    });
    expect(read(dir, name, 'theirs')).toBe('theirs');
    rmSync(join(dir, name, 'theirs'));
    expect(await restore()).toBe('published');
    expect([await seen(), wholes(dir)]).toEqual([[], FILES]);
  });
});

describe('a generation that was changed', () => {
  it('is never gone back to, and is removed when its readers have had ten seconds', async () => {
    const dir = scratch();
    const { sink, seen, restore, clock, look } = await published(dir);
    const good = { ...FILES, 'app.env': 'A=2\n' };
    await publish(sink, good);
    await look.remember(bytesOf(good));
    appendFileSync(join(dir, 'app.env'), 'x');
    expect(await seen()).toHaveLength(1);
    expect(await restore()).toBe('published');
    const before = await sink.earlier();
    expect(before && Buffer.from(before.files.get('app.env') ?? '').toString()).toBe('A=1\n');
    await sink.sweep();
    expect(existsSync(join(dir, '..g2'))).toBe(true);
    await clock.advance(10_000);
    await sink.sweep();
    expect(readdirSync(dir).filter((name) => name.startsWith('..g'))).toEqual(['..g1', '..g3']);
  });

  it('is good again when it was put right by the one who changed it', async () => {
    const dir = scratch();
    const { seen, sink } = await published(dir);
    appendFileSync(join(dir, 'app.env'), 'x');
    expect(await seen()).toHaveLength(1);
    truncateSync(join(dir, 'app.env'), 4);
    expect(await seen()).toEqual([]);
    await publish(sink, { ...FILES, 'app.env': 'A=2\n' });
    expect((await sink.earlier())?.files.size).toBe(2);
  });

  it('has a spare when the generation before has the same bytes, as after a rollback', async () => {
    const dir = scratch();
    const { sink, look } = await published(dir);
    await publish(sink, { ...FILES, 'app.env': 'bad' });
    await sink.hold(2);
    await publish(sink, FILES);
    await look.remember(bytesOf(FILES));
    appendFileSync(join(dir, 'app.env'), 'x');
    expect(await look.look()).toHaveLength(1);
    const spare = await look.spare();
    expect(spare && Object.keys(FILES).map((name) => Buffer.from(spare.files.get(name) ?? '').toString())).toEqual(
      Object.values(FILES),
    );
    appendFileSync(join(dir, '..g1/app.env'), 'x');
    expect(await look.spare()).toBeUndefined();
  });
});

describe('a hint', () => {
  it.each<[string, (dir: string) => void]>([
    ['a file was edited in place', (dir) => appendFileSync(join(dir, '..data/certs/tls.pem'), 'x')],
    ['a mode was changed', (dir) => chmodSync(join(dir, 'app.env'), 0o444)],
    ['a link was replaced', (dir) => spawnSync('sed', ['-i', 's/1/2/', join(dir, 'app.env')])],
    ['..data was removed', (dir) => unlinkSync(join(dir, '..data'))],
    ['the directory was removed', (dir) => rmSync(dir, { recursive: true })],
    ['the directory was moved', (dir) => renameSync(dir, `${dir}-moved`)],
  ])('comes when %s', async (_, change) => {
    const dir = join(scratch(), 'out');
    const { look } = await published(dir);
    const { promise, resolve } = Promise.withResolvers<void>();
    using _watch = look.watch(resolve);
    await look.look();
    change(dir);
    await promise;
  });

  it('comes after the directory was made again, too', async () => {
    const dir = join(scratch(), 'out');
    const { look, restore } = await published(dir);
    let hinted = Promise.withResolvers<void>();
    using _watch = look.watch(() => hinted.resolve());
    await look.look();
    rmSync(dir, { recursive: true });
    await hinted.promise;
    expect(await restore()).toBe('published');
    await look.look();
    hinted = Promise.withResolvers<void>();
    appendFileSync(join(dir, 'app.env'), 'x');
    await hinted.promise;
    expect(readFileSync(join(dir, 'app.env'), 'utf8')).toBe('A=1\nx');
  });

  it('does not come when another program writes its own files beside', async () => {
    const dir = scratch();
    const { look } = await published(dir);
    let hints = 0;
    using _watch = look.watch(() => void hints++);
    await look.look();
    writeFileSync(join(dir, 'theirs'), '');
    mkdirSync(join(dir, 'folder'));
    rmdirSync(join(dir, 'folder'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(hints).toBe(0);
  });
});
