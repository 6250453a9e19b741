import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failuresOf, published, useScene } from './openbao.helpers.ts';

const scene = useScene();

async function setUp(path: string, content: string) {
  const place = await scene.place();
  const { dir } = place;
  const config = await place.config({
    backends: { demo: { kind: 'file', path } },
    secrets: { app: { key: 'app' } },
    outputs: { out: { dir: join(dir, 'out'), files: { text: { content } } } },
  });
  return { dir, config, text: () => published(join(dir, 'out'))?.['text'] };
}

const yaml = (password: string) => `app:\n  password: ${password}\n  port: 8080\n`;
const BROKEN = 'app:\n  password: "hunter2\n  port: 8080\n';

describe('a file of secrets', () => {
  it('an edit is published; a broken one keeps the last good files and is reported with file and line until the next good one', async () => {
    const { dir, config, text } = await setUp('./secrets.yaml', '{{app.password}}:{{app.port}}');
    const file = join(dir, 'secrets.yaml');
    await writeFile(file, yaml('one'));
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    await writeFile(file, yaml('two'));
    await agent.waitFor('output-published', { count: 2 });
    expect(text()).toBe('two:8080');

    await writeFile(file, BROKEN);
    const failed = await agent.waitFor('secret-failed', { fits: ({ seen }) => /line/.test(String(seen)) });
    expect(failed).toMatchObject({ code: 'BACKEND_FILE', place: 'secrets.app.key', hint: 'Correct the file.' });
    expect(failed['seen']).toMatch(new RegExp(`^${file}: .*, line [234], column \\d+$`));
    expect(await agent.waitFor('secret-state')).toMatchObject({ state: 'stale', reason: 'BACKEND_FILE' });
    expect(text()).toBe('two:8080');

    const written = join(dir, 'new');
    await writeFile(written, yaml('three'));
    await rename(written, file);
    await agent.waitFor('output-published', { count: 3 });
    expect(text()).toBe('three:8080');

    await rm(file);
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'stale', count: 2 });
    expect(text()).toBe('three:8080');
    await writeFile(file, yaml('four'));
    await agent.waitFor('output-published', { count: 4 });
    expect(text()).toBe('four:8080');
    expect(agent.output()).not.toMatch(/hunter2|three|four/);
  });

  it('init ends with 1 and says what is wrong with it', async () => {
    const { dir, config, text } = await setUp('./secrets.yaml', '{{app.password}}');
    const file = join(dir, 'secrets.yaml');
    const init = async () => {
      const agent = await scene.init(config, '1h');
      expect(agent.output()).not.toContain('hunter2');
      return [agent.status, failuresOf(agent).map(({ code, seen }) => `${code} ${seen}`)];
    };
    expect(await init()).toEqual([1, [`BACKEND_FILE ${file}: cannot be read (ENOENT)`]]);
    await writeFile(file, BROKEN);
    expect(await init()).toEqual([1, [expect.stringMatching(/^BACKEND_FILE .*secrets\.yaml: .*line [234], column/)]]);
    await writeFile(file, 'other: { password: hunter2 }\n');
    expect(await init()).toEqual([1, [expect.stringMatching(/^SECRET_NOT_FOUND .*secrets\.yaml/)]]);
    await writeFile(file, 'app: { user: hunter2 }\n');
    expect(await init()).toEqual([1, [expect.stringMatching(/^RENDER_MISSING_FIELD app\.password is missing/)]]);
    expect(text()).toBeUndefined();
    await writeFile(file, yaml('one'));
    expect(await init()).toEqual([0, []]);
    expect(text()).toBe('one');
  });
});

describe('a folder that is swapped as the kubelet does it', () => {
  it('each swap is one generation, with fields of one version only', async () => {
    const { dir, config, text } = await setUp('./mounted', '{{app.username}}:{{app.password}}');
    const folder = join(dir, 'mounted/app');
    await mkdir(folder, { recursive: true });
    const swap = async (name: string) => {
      await mkdir(join(folder, `..${name}`));
      await writeFile(join(folder, `..${name}/username`), `user-${name}`);
      await writeFile(join(folder, `..${name}/password`), `password-${name}`);
      await symlink(`..${name}`, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await swap('one');
    for (const name of ['username', 'password']) await symlink(`..data/${name}`, join(folder, name));
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    expect(text()).toBe('user-one:password-one');
    await swap('two');
    await agent.waitFor('output-published', { count: 2 });
    expect(text()).toBe('user-two:password-two');
    await rm(join(folder, '..one'), { recursive: true });
    await swap('three');
    await agent.waitFor('output-published', { count: 3 });
    expect(text()).toBe('user-three:password-three');
    expect(agent.facts('secret-failed')).toEqual([]);
  });
});
