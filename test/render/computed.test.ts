import { describe, expect, it } from 'vitest';
import { vault } from '../../src/backend/vault/kind.ts';
import { failure, ProblemsError } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import type { Fields, Value } from '../../src/base/value.ts';
import type { PathRequests } from '../../src/config/sections/backends/path-requests.ts';
import type { SecretEntry, Snapshot } from '../../src/lease/snapshot.ts';
import type { Rendered } from '../../src/render/render.ts';
import { createRenderer } from '../../src/render/renderer.ts';
import { outputOf } from './render.helpers.ts';

const fields = (of: Record<string, Value>): Fields => new Map(Object.entries(of));
const text = Secret.text;
const fresh = (of: Fields): SecretEntry => ({
  state: 'fresh',
  value: { fields: of, version: '1', life: { kind: 'none' } },
  fetchedWallMs: 0,
  changedWallMs: 0,
  valueNumber: 1,
  stateNumber: 1,
});
const absent = (code: 'SECRET_NOT_FOUND' | 'SECRET_DELETED' | 'BACKEND_TIMEOUT'): SecretEntry => ({
  state: 'absent',
  why: failure(code, 'x', 'y'),
  optional: false,
  stateNumber: 1,
});

function snapshotOf(entries: Record<string, SecretEntry>): Snapshot {
  return { number: 1, get: (name) => entries[name], names: () => Object.keys(entries) };
}

async function render(template: string, entries: Record<string, SecretEntry>, backends = ['bao']): Promise<Rendered> {
  const askable = new Map(backends.map((name) => [name, vault.pathRequests as PathRequests]));
  const known = { secrets: new Set(['app']), backends: askable };
  const renderer = await createRenderer(outputOf({ f: template }), known);
  return renderer.render(
    snapshotOf({ app: fresh(fields({ folder: text('deep'), password: text('c4n4ry') })), ...entries }),
  );
}

/** The text, the names that are waited for, or the code of the failure. */
function shown(rendered: Rendered): string {
  if (rendered.kind === 'files') return Buffer.from(rendered.files.get('f') as Uint8Array).toString();
  return rendered.kind === 'waits' ? `waits for ${rendered.missing.join(', ')}` : rendered.why.code;
}

const template = '{{#with (secret "secret/a")}}{{password}}{{/with}}';
const one = fresh(fields({ password: text('one') }));

describe('computed paths', () => {
  it('asks for the secret first, and renders it when it is there', async () => {
    const first = await render(template, {});
    expect(shown(first)).toBe('waits for secret bao secret/a');
    expect(first.kind === 'waits' && [...first.computed.values()]).toEqual([
      {
        backend: 'bao',
        request: { kind: 'vault-kv', path: 'secret/a' },
        refreshMs: 300_000,
        place: expect.stringContaining('content:1:9'),
      },
    ]);
    expect(shown(await render(template, { 'secret bao secret/a': one }))).toBe('one');
  });

  it('asks for all listed secrets in one round', async () => {
    const all =
      '{{#each (secrets "secret/shop/") as |name|}}{{#with (secret "secret/shop/" name)}}{{password}};{{/with}}{{/each}}';
    const list = fresh(fields({ keys: [text('a'), text('b')] }));
    const second = await render(all, { 'secrets bao secret/shop/': list });
    expect(second.kind === 'waits' && second.missing).toHaveLength(2);
    const names = second.kind === 'waits' ? second.missing : [];
    const entries = Object.fromEntries(names.map((name, i) => [name, fresh(fields({ password: text(`p${i}`) }))]));
    expect(shown(await render(all, { 'secrets bao secret/shop/': list, ...entries }))).toBe('p0;p1;');
  });

  it('a path made of values is private: neither the name of the secret nor a failure shows it', async () => {
    const rendered = await render('{{#with (secret "secret/" app.password)}}x{{/with}}', {});
    expect(JSON.stringify(rendered.kind === 'waits' && rendered.missing)).not.toContain('c4n4ry');
    const request = rendered.kind === 'waits' ? [...rendered.computed.values()][0]?.request : undefined;
    expect(request).toEqual({ kind: 'vault-kv', path: 'secret/c4n4ry', isPathPrivate: true });
    const again = await render('{{#with (secret "secret/" app.password)}}x{{/with}}', {});
    expect(shown(again)).toBe(shown(rendered));
  });

  it('an absent secret is falsy in if and an error elsewhere; a secret that failed otherwise is waited for', async () => {
    const entries = { 'secret bao secret/a': absent('SECRET_NOT_FOUND') };
    expect(shown(await render('{{#if (secret "secret/a")}}yes{{else}}no{{/if}}', entries))).toBe('no');
    expect(shown(await render(template, entries))).toBe('RENDER_MISSING_FIELD');
    expect(shown(await render(template, { 'secret bao secret/a': absent('BACKEND_TIMEOUT') }))).toContain('waits for');
  });

  it('with and each take their else when nothing is at a path made of values', async () => {
    const over = (block: string) =>
      `{{#each (secrets "secret/shop/") as |name|}}${block}{{/each}}`.replaceAll('ASK', '(secret "secret/shop/" name)');
    const list = fresh(fields({ keys: [text('a'), text('gone'), text('team/')] }));
    const withElse = over('{{#with ASK}}{{password}};{{else}}no {{name}};{{/with}}');
    const asked = await render(withElse, { 'secrets bao secret/shop/': list });
    const [a = '', gone = '', ...others] = asked.kind === 'waits' ? asked.missing : [];
    expect(others).toEqual([]);
    const entries = { 'secrets bao secret/shop/': list, [a]: one, [gone]: absent('SECRET_DELETED') };
    expect(shown(await render(withElse, entries))).toBe('one;no gone;no team/;');
    expect(shown(await render(over('{{#with ASK}}{{password}};{{/with}}'), entries))).toBe('one;');
    expect(shown(await render(over('{{#each ASK}}{{@key}};{{/each}}'), entries))).toBe('password;');
    expect(shown(await render(over('{{#if ASK}}yes{{else}}no{{/if}};'), entries))).toBe('yes;no;no;');
  });

  it.each([
    ['{{#with (secret "secret/" "a")}}x{{/with}}', '(secret "secret/" "a") finds nothing'],
    ['{{json (secret "secret/" app.folder)}}', '(secret "secret/" app.folder) finds nothing'],
    ['{{json (secret "secret/a/")}}', '(secret "secret/a/") finds nothing'],
  ])('%s fails when nothing is there, and shows the path as it is written, not a value', async (source, seen) => {
    const first = await render(source, {});
    const missing = first.kind === 'waits' ? first.missing : [];
    const entries = Object.fromEntries(missing.map((name) => [name, absent('SECRET_DELETED')]));
    const rendered = await render(source, entries);
    expect(rendered.kind === 'failed' && rendered.why).toMatchObject({ code: 'RENDER_MISSING_FIELD', seen });
  });

  it('a call that is the whole template waits for its secret', async () => {
    expect(shown(await render('{{json (secret "secret/a")}}', {}))).toBe('waits for secret bao secret/a');
  });

  it('a secret is polled at the shortest refresh that its calls give', async () => {
    const refreshes = async (source: string) => {
      const rendered = await render(source, {});
      return rendered.kind === 'waits' ? [...rendered.computed.values()].map(({ refreshMs }) => refreshMs) : rendered;
    };
    expect(await refreshes('{{json (secret "a" refresh="30s")}}{{json (secrets "b" refresh="1h")}}')).toEqual([
      30_000, 3_600_000,
    ]);
    expect(await refreshes('{{json (secret "a" refresh="1h")}}{{json (secret "a" refresh="1m")}}')).toEqual([60_000]);
  });

  it.each(['""', '"secret/../sys"', '"a//b"', '"./x"'])('refuses the path %s while rendering', async (path) => {
    expect(shown(await render(`{{#with (secret ${path})}}x{{/with}}`, {}))).toBe('RENDER_BAD_ARGUMENT');
  });

  it('a template that asks for more than 1,000 secrets fails', async () => {
    const keys = Array.from({ length: 1_500 }, (_, i) => text(`k${i}`));
    const all = '{{#each (secrets "s")}}{{#with (secret "s/" this)}}x{{/with}}{{/each}}';
    expect(shown(await render(all, { 'secrets bao s': fresh(fields({ keys })) }))).toBe('RENDER_BAD_ARGUMENT');
  });

  it.each([
    ['no backend at all', template, [], 'TEMPLATE_REFUSED'],
    ['several backends and none named', template, ['a', 'b'], 'TEMPLATE_REFUSED'],
    ['an unknown backend', '{{secret "x" backend="c"}}', ['a'], 'TEMPLATE_UNKNOWN_NAME'],
    ['a computed backend', '{{secret "x" backend=app.folder}}', ['a'], 'TEMPLATE_REFUSED'],
    ['another option', '{{secret "x" version=1}}', ['a'], 'TEMPLATE_REFUSED'],
    ['a refresh that is no duration', '{{secret "x" refresh="often"}}', ['a'], 'TEMPLATE_REFUSED'],
    ['a refresh that is too short', '{{secret "x" refresh="10ms"}}', ['a'], 'TEMPLATE_REFUSED'],
    ['a computed refresh', '{{secret "x" refresh=app.folder}}', ['a'], 'TEMPLATE_REFUSED'],
  ])('%s is a problem before anything is fetched', async (_title, source, backends, code) => {
    const problem = render(source, {}, backends).then(
      () => undefined,
      (error: unknown) => (error instanceof ProblemsError ? error.failures.map((one) => one.code) : error),
    );
    expect(await problem).toEqual([code]);
  });

  it('backend="NAME" chooses the backend that is asked', async () => {
    const rendered = await render('{{#with (secret "x" backend="b")}}{{/with}}', {}, ['a', 'b']);
    expect(shown(rendered)).toBe('waits for secret b x');
  });
});
