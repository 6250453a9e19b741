import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startAgent } from './agent.helpers.ts';

it('the built pannier finds its builtin templates', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'pannier-builtin-'));
  try {
    await writeFile(join(dir, 'secrets.yaml'), 'shop: { user: ann, password: "a:b" }\n');
    const files = { '.pgpass': { template: 'builtin:pgpass', with: { db: 'shop', 'db.username': 'shop.user' } } };
    const config = {
      version: 1,
      backends: { demo: { kind: 'file', path: './secrets.yaml' } },
      secrets: { shop: { key: 'shop' } },
      outputs: { o: { dir: './out', files } },
    };
    await writeFile(join(dir, 'pannier.json'), JSON.stringify(config));
    expect(await startAgent(['init', '-c', 'pannier.json'], { cwd: dir }).ended).toBe(0);
    expect(await readFile(join(dir, 'out/.pgpass'), 'utf8')).toBe('*:*:*:ann:a\\:b\n');
  } finally {
    await rm(dir, { recursive: true });
  }
});
