import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../system/agent.helpers.ts';
import { writeFileInOne } from '../system/file-backend.helpers.ts';
import { useScene } from '../system/openbao.helpers.ts';

const scene = useScene();

it('examples/exec restarts its application for a new password, and signals it for a new file', async () => {
  const { dir } = await scene.place();
  cpSync('examples/exec', dir, { recursive: true, filter: (path) => !path.endsWith('/run') });
  const agent = scene.exec(join(dir, 'pannier.yaml'), []);
  const shows = (...lines: readonly string[]) =>
    eventually(() => expect(agent.stdout().trim().split('\n')).toEqual(lines));
  const first = ['shop logged in with 7 characters', 'features {"search":true}'];
  await shows(...first);

  const secrets = (password: string, search: boolean) =>
    writeFileInOne(
      join(dir, 'secrets.yaml'),
      `db: { username: shop, password: ${password} }\nshop: { search: ${search} }\n`,
    );
  await secrets('made-up', false);
  await shows(...first, 'features {"search":false}');
  await secrets('another one', false);
  const second = ['shop logged out', 'shop logged in with 11 characters', 'features {"search":false}'];
  await shows(...first, 'features {"search":false}', ...second);
  expect(await agent.stop()).toBe(0);
});
