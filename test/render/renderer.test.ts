import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRenderer } from '../../src/render/renderer.ts';
import { format, outputOf, render, snapshotOf } from './render.helpers.ts';

const app = '{"name":"shop"}';

describe('a renderer', () => {
  it('gives the bytes of every file', async () => {
    const files = {
      'a.conf': 'n={{app.name}}\n',
      'sub/app.json': format('json', 'app'),
      key: format('raw', 'app.name'),
    };
    const rendered = await render(files, { app });
    if (rendered.kind !== 'files') throw new Error(rendered.kind);
    const texts = [...rendered.files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]);
    expect(texts).toEqual([
      ['a.conf', 'n=shop\n'],
      ['sub/app.json', '{\n  "name": "shop"\n}\n'],
      ['key', 'shop'],
    ]);
  });

  it('gives the same bytes for the same snapshot', async () => {
    const renderer = await createRenderer(outputOf({ f: '{{json app}}', g: format('dotenv', 'app') }), {
      secrets: new Set(['app']),
      backends: new Map(),
    });
    const snapshot = snapshotOf({ app });
    expect(await renderer.render(snapshot)).toEqual(await renderer.render(snapshot));
    const other = await renderer.render(snapshotOf({ app: '{"name":"other"}' }));
    expect(other.kind === 'files' && Buffer.from(other.files.get('f') as Uint8Array).toString()).toBe(
      '{"name":"other"}',
    );
  });

  it('waits for each secret without an answer, and for a required one that is absent', async () => {
    const files = { a: '{{#if late.x}}{{/if}}{{app.name}}', b: format('json', 'gone', 'opt') };
    const secrets = {
      app,
      late: 'no answer',
      gone: 'absent',
      opt: 'optional and absent',
      unused: 'no answer',
    } as const;
    expect(await render(files, secrets)).toEqual({ kind: 'waits', missing: ['late', 'gone'], computed: new Map() });
  });

  it('renders values that are stale or expired: how old a value may be is decided elsewhere', async () => {
    const renderer = await createRenderer(outputOf({ f: '{{app.name}}' }), {
      secrets: new Set(['app']),
      backends: new Map(),
    });
    const entry = snapshotOf({ app }).get('app');
    for (const state of ['stale', 'expired'] as const) {
      const snapshot = { number: 2, get: () => ({ ...entry, state }) as typeof entry, names: () => ['app'] };
      expect((await renderer.render(snapshot)).kind).toBe('files');
    }
  });

  it('fails with the failure of each file, the first of them first, and gives no file at all', async () => {
    const rendered = await render({ a: '{{app.name}}', b: '{{app.x}}', c: '{{app.y}}' }, { app });
    expect(rendered).toEqual({
      kind: 'failed',
      why: {
        code: 'RENDER_MISSING_FIELD',
        place: 'outputs.shop.files["b"], content:1:3',
        seen:
          'app.x is missing: app has no such field; also outputs.shop.files["c"], content:1:3: ' +
          'app.y is missing: app has no such field',
        hint: 'Its only field is name.',
        retry: 'never',
      },
    });
  });

  it('names five more files at most', async () => {
    const files = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`f${i}`, `{{app.x${i}}}`]));
    const rendered = await render(files, { app });
    const seen = rendered.kind === 'failed' ? rendered.why.seen : '';
    expect(seen).toContain('app.x5 is missing');
    expect(seen).not.toContain('app.x6');
    expect(seen).toMatch(/; and 3 more files$/);
  });

  it('does not throw, whatever the snapshot does', async () => {
    const renderer = await createRenderer(outputOf({ f: '{{app.name}}' }), {
      secrets: new Set(['app']),
      backends: new Map(),
    });
    const broken = { number: 1, names: () => [], get: () => ({ state: 'fresh' }) as never };
    expect(await renderer.render(broken)).toMatchObject({ kind: 'failed', why: { code: 'INTERNAL' } });
  });

  it('reads a template from its file, once', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'pannier-render-'));
    const path = join(dir, 'app.conf.hbs');
    try {
      await writeFile(path, 'name = {{app.name}}\n');
      const renderer = await createRenderer(outputOf({ f: { kind: 'template', path } }), {
        secrets: new Set(['app']),
        backends: new Map(),
      });
      await rm(path);
      const rendered = await renderer.render(snapshotOf({ app }));
      expect(rendered.kind === 'files' && Buffer.from(rendered.files.get('f') as Uint8Array).toString()).toBe(
        'name = shop\n',
      );
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
