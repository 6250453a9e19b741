import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fencedBlocks } from '../docs/fenced.ts';
import { get } from './observe.helpers.ts';
import type { Scene } from './openbao.helpers.ts';

const page = fencedBlocks().filter((block) => block.page === 'docs/log-pipelines.md');

/** The block of docs/log-pipelines.md with all of these texts. */
export function blockWith(...texts: readonly string[]): string {
  return page.find((block) => texts.every((text) => block.text.includes(text)))?.text ?? '';
}

/** A configuration whose agent publishes, fails with an output, and is read over its API. */
export async function logging(scene: Scene, log: object, more: object = {}) {
  const place = await scene.place();
  const api = join(place.dir, 'api.sock');
  const config = await place.config({
    backends: { demo: { kind: 'file', path: './secrets.json' } },
    secrets: { app: { key: 'app' } },
    outputs: {
      o: { dir: join(place.dir, 'o'), files: { f: { content: '{{app.x}}' } } },
      bad: { dir: join(place.dir, 'bad'), files: { f: { content: '{{app.nope}}' } } },
    },
    api: { socket: api },
    log,
    ...more,
  });
  writeFileSync(join(place.dir, 'secrets.json'), '{"app": {"x": "1"}}');
  return { dir: place.dir, config, readOnce: () => get(api, '/v1/secrets/app', { 'X-Pannier-Request': 'true' }) };
}
