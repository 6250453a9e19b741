import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { createPlace, type Place } from '../system/agent.helpers.ts';
import { baoOf, published, useWorld } from '../system/openbao.helpers.ts';

const run = promisify(execFile);
const world = useWorld();

/** The user that the image runs as. */
const USER = 65532;

/** Why no image can be built on this machine; undefined when one can. */
let missing: string | undefined;
let work: string;
let place: Place;

/** Makes the base image and the files of `npm run image-files`, for the final stage of the Dockerfile. */
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'pannier-image-'));
  place = await createPlace();
  missing = await whatIsMissing();
  if (missing !== undefined) return;
  const program = join(work, 'pannier');
  await run(process.execPath, ['scripts/sea.ts', program]);
  await run(process.execPath, ['scripts/image-files.ts', join(work, 'image'), program]);
  await makeBase(program);
});
afterAll(async () => {
  if (missing === undefined) {
    await buildah('rm', '--all');
    await buildah('rmi', '--all', '--force');
  }
  await rm(work, { recursive: true, force: true });
  await place[Symbol.asyncDispose]();
});

describe('the image', () => {
  it('is built on a base that this test makes, and the same files give the same image', {
    timeout: 60_000,
  }, async (context) => {
    skipIfMissing(context);
    await build('one');
    await build('two');
    const [one, two] = [await inspect('one'), await inspect('two')];
    expect(one.rootfs.diff_ids).toHaveLength(2);
    expect(two.rootfs).toEqual(one.rootfs);
    expect(one.config).toMatchObject({
      User: `${USER}:${USER}`,
      Entrypoint: ['/usr/bin/tini', '-s', '--', '/usr/bin/pannier'],
      Cmd: ['run'],
      Healthcheck: { Test: ['CMD', '/usr/bin/pannier', 'probe', 'live'] },
      Labels: { 'org.opencontainers.image.title': 'Pannier', 'org.opencontainers.image.version': '7.8.9' },
    });
  });

  it('runs init as its user, and writes nothing outside of the output', { timeout: 60_000 }, async (context) => {
    skipIfMissing(context);
    await world().putSecret('app', { password: 'one' });
    await build('one');
    const container = (await buildah('from', 'localhost/one')).trim();
    const root = (await buildah('mount', container)).trim();
    const before = await readdir(root, { recursive: true });
    expect(before).not.toContain('bin/sh');

    const [config, output] = [join(place.dir, 'etc'), join(place.dir, 'out')];
    for (const dir of [config, output]) await mkdir(dir, { recursive: true });
    await chmod(place.dir, 0o755);
    await chown(output, USER, USER);
    await copyFile(world().tokenFile, join(config, 'token'));
    await chmod(join(config, 'token'), 0o444);
    await writeFile(
      join(config, 'pannier.json'),
      JSON.stringify({
        version: 1,
        backends: { bao: baoOf(world(), { tokenFile: './token' }) },
        secrets: { app: { kv: 'secret/shop/app' } },
        outputs: { shop: { dir: '/run/secrets/shop', files: { key: { format: 'raw', from: 'app.password' } } } },
      }),
    );
    const mounts = ['--volume', `${config}:/etc/pannier:ro`, '--volume', `${output}:/run/secrets/shop`];
    const entry = ['/usr/bin/tini', '-s', '--', '/usr/bin/pannier'];
    await buildah('run', '--isolation', 'chroot', ...mounts, container, '--', ...entry, 'init', '--timeout', '20s');
    expect(published(output)).toEqual({ key: 'one' });
    // buildah makes these to mount something there.
    const made =
      /^(etc(\/(pannier|hosts|hostname|resolv\.conf))?|run(\/secrets(\/shop)?|\/\.containerenv)?|(proc|sys|dev)(\/.*)?)$/;
    const after = (await readdir(root, { recursive: true })).filter((path) => !made.test(path));
    expect(after.filter((path) => !before.includes(path))).toEqual([]);
  });
});

async function whatIsMissing(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'building it needs root on Linux';
  const programs = { buildah: ['--version'], 'tini-static': ['--version'], ldd: ['--version'] };
  for (const [program, args] of Object.entries(programs)) {
    const isHere = await run(program, args).then(
      () => true,
      () => false,
    );
    if (!isHere) return `${program} is not installed (Debian: buildah, tini, libc-bin)`;
  }
  if (!existsSync(`node_modules/node/node_modules`)) return 'the licence of Node is missing: npm rebuild node';
  // buildah may not be allowed to mount anything when this machine is a container itself.
  return await buildah('from', '--name', 'try', 'scratch')
    .then(() => buildah('mount', 'try'))
    .then(() => buildah('rm', 'try'))
    .then(
      () => undefined,
      (error: { readonly stderr?: string }) => `buildah does not work here: ${error.stderr?.trim().split('\n').at(-1)}`,
    );
}

function skipIfMissing(context: TestContext): void {
  context.skip(missing !== undefined, `no image is built: ${missing}`);
}

/** A base with the libraries that the program is linked to, all of which are in `distroless/cc`, and nothing else. */
async function makeBase(program: string): Promise<void> {
  const container = (await buildah('from', 'scratch')).trim();
  const root = (await buildah('mount', container)).trim();
  const { stdout } = await run('ldd', [program]);
  for (const library of stdout.match(/\/\S+/g) ?? []) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await copyFile(library, join(root, library));
  }
  await buildah('commit', '--quiet', container, 'localhost/base');
  await buildah('rm', container);
}

async function build(name: string): Promise<void> {
  const settings = { BASE_IMAGE: 'localhost/base', BUILD_IMAGE: 'localhost/base', VERSION: '7.8.9' };
  const args = Object.entries(settings).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  const options = [
    '--format',
    'docker',
    '--timestamp',
    '0',
    '--build-context',
    `build=${work}`,
    '--no-cache',
    '--quiet',
  ];
  await buildah('build', '--isolation', 'chroot', ...options, ...args, '--tag', `localhost/${name}`, '.');
}

async function inspect(name: string): Promise<{ readonly config: object; readonly rootfs: { diff_ids: string[] } }> {
  return JSON.parse(await buildah('inspect', '--type', 'image', `localhost/${name}`)).Docker;
}

async function buildah(...args: readonly string[]): Promise<string> {
  const storage = ['--root', join(work, 'storage'), '--runroot', join(work, 'run'), '--storage-driver', 'vfs'];
  const { stdout } = await run('buildah', [...storage, ...args], { maxBuffer: 1 << 26 });
  return stdout;
}
