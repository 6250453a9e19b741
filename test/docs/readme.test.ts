import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { baoOf, useScene, useWorld } from '../system/openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true });

it('README.md shows the files and links that its configuration publishes', async () => {
  const readme = readFileSync('README.md', 'utf8');
  const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(readme) ?? [];
  const [, tree = ''] = /```\n(\/run\/secrets\/shop\n.*?)```/s.exec(readme) ?? [];
  const { secrets, outputs } = parse(yaml);
  await world().putSecret('app', { api_key: 'made-up' });
  const { dir, config } = await scene.place();
  const out = join(dir, 'shop');
  const path = await config({
    backends: { bao: baoOf(world()) },
    secrets,
    outputs: { shop: { ...outputs.shop, dir: out } },
  });
  expect((await scene.init(path)).status).toBe(0);

  const links = [...tree.matchAll(/^[├└]── (\S+) -> (\S+)/gm)].map(([, name = '', target = '']) => [name, target]);
  expect(links.map(([name]) => name)).toEqual([...Object.keys(outputs.shop.files), '..data']);
  for (const [name, target] of links) expect(readlinkSync(join(out, name as string))).toBe(target?.replace('g7', 'g1'));
  expect(tree).toContain('mode 0400');
  for (const name of Object.keys(outputs.shop.files))
    expect(lstatSync(join(out, '..g1', name)).mode & 0o777).toBe(0o400);
});
