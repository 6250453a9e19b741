import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { createPlace } from './agent.helpers.ts';
import { fileBackend, writePassword } from './file-backend.helpers.ts';

it('init renders templates where Node forbids to make code of text', async () => {
  await using place = await createPlace();
  await writePassword(place, 'made-up');
  const config = await place.config({
    backends: fileBackend,
    secrets: { app: { key: 'app' } },
    outputs: {
      shop: {
        dir: './shop',
        files: { t: { content: '{{#if app}}{{json app.password}}{{/if}}' }, j: { format: 'json', from: 'app' } },
      },
    },
  });
  const flag = '--disallow-code-generation-from-strings';
  await promisify(execFile)(process.execPath, [flag, 'dist/pannier.js', 'init', '-c', config]);
  expect(readFileSync(join(place.dir, 'shop/t'), 'utf8')).toBe('"made-up"');
});
