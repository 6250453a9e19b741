import { describe, expect, it, vi } from 'vitest';
import * as yaml from 'yaml';
import { answerTo } from './review.helpers.ts';

const OWN = { inject: 'true', role: 'shop', 'secret-app': '{ kv: secret/shop/app }' };
const VAULT = { 'agent-inject': 'true', role: 'shop', 'agent-inject-secret-app': 'secret/shop/app' };

/** What the denial says of a pod with these annotations; undefined when it is not denied. */
async function denialOf(prefix: string, said: Readonly<Record<string, string>>): Promise<string | undefined> {
  const annotations = Object.fromEntries(Object.entries(said).map(([name, value]) => [`${prefix}/${name}`, value]));
  return (await answerTo({ metadata: { annotations }, spec: { containers: [{ name: 'app', image: 'x' }] } })).denied;
}

const own = (content: string) => denialOf('pannier.dev', { ...OWN, 'file-a': JSON.stringify({ content }) });
const config = (text: string) => denialOf('pannier.dev', { inject: 'true', config: text });
const vault = (template: string) =>
  denialOf('vault.hashicorp.com', { ...VAULT, 'agent-inject-template-app': template });
const numbered = (count: number, name: string, value: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${name}${index}`, value]));

const numberedKeys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`).join();

describe('a review of a pod that asks for too much work', () => {
  it.each([
    ['blocks in each other', () => own('{{#if app.x}}'.repeat(1000)), /more than 100 blocks or calls are nested/],
    ['calls in each other', () => own(`{{upper ${'(upper '.repeat(1000)}}}`), /more than 100 blocks or calls/],
    ['brackets', () => config('['.repeat(20_000)), /nested too deep/],
    ['lists in lines', () => config('- '.repeat(10_000)), /nested too deep/],
    ['maps of JSON', () => config(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`), /nested too deep/],
    [
      'brackets of a secret',
      () => denialOf('pannier.dev', { ...OWN, 'file-a': '['.repeat(10_000) }),
      /file-a is not valid YAML/,
    ],
    ['blocks of a Go template', () => vault('{{ range .x }}'.repeat(1000)), /more than 200 blocks/],
    [
      'a pipeline without end',
      () => vault(`{{ env "A" ${'| toUpper '.repeat(1400)}}}`),
      /too long when it is written out/,
    ],
    [
      'a variable that doubles itself',
      () => vault(`{{ $x := env "A" }}${'{{ $x = printf "%s%s" $x $x }}'.repeat(60)}{{ $x }}`),
      /too long when it is written out/,
    ],
    [
      'a path that no key can be',
      () => denialOf('vault.hashicorp.com', { ...VAULT, 'secret-volume-path': `/${'a '.repeat(2000)}` }),
      /too long/,
    ],
  ])('with %s is denied', async (_, denied, says) => {
    expect(await denied()).toMatch(says);
  });

  it.each([
    [
      'one that is too long',
      { ...OWN, 'file-a': 'x'.repeat(16 * 1024 + 1) },
      /file-a has 16385 bytes, of at most 16384/,
    ],
    ['too many', { ...OWN, ...numbered(500, 'file-', '{ format: json, from: app }') }, /are 503 for the agent/],
    ['too many bytes for the agent', { inject: 'true', config: '#'.repeat(33_000) }, /have 33004 bytes for the agent/],
    [
      'too many bytes for Kubernetes',
      { ...OWN, ...numbered(300, 'x', 'y'.repeat(1000)) },
      /and Kubernetes takes 262144/,
    ],
  ])('with annotations of which there are %s is denied before one is read', async (_, said, says) => {
    const denied = await denialOf('pannier.dev', said as Readonly<Record<string, string>>);
    expect(denied).toMatch(says);
    expect(denied).not.toMatch(/is unknown|no valid configuration|YAML/);
  });

  it.each([
    ['a configuration', { inject: 'true', config: `secrets: {${numberedKeys(2000)}}` }, 'config'],
    ['JSON', { inject: 'true', config: JSON.stringify({ outputs: Array(2000).fill(0) }) }, 'config'],
    [
      'what aliases repeat',
      { inject: 'true', config: `log: { a: &a [${'1,'.repeat(500)}], b: [*a, *a, *a, *a] }` },
      'config',
    ],
    ['a file', { ...OWN, 'file-a': `{${numberedKeys(2000)}}` }, 'file-a'],
    ['two files', { ...OWN, 'file-a': `{${numberedKeys(1100)}}`, 'file-b': `{${numberedKeys(1100)}}` }, 'file-b'],
    ['a reload', { ...OWN, 'file-a': '{ format: json, from: app }', reload: `[${'1,'.repeat(2000)}]` }, 'reload'],
  ])('with more than two thousand values in %s is denied before they are checked', async (_, said, where) => {
    const denied = await denialOf('pannier.dev', said as Readonly<Record<string, string>>);
    expect(denied).toBe(`pannier.dev/${where} makes more than 2000 values for the agent: use config-map`);
  });

  it.each([
    ['errors in a configuration', { inject: 'true', config: 'a: b: c\n'.repeat(4000) }, 1],
    ['errors in a secret', { ...OWN, 'file-a': ']'.repeat(16_000) }, 2],
    ['an unknown key', { inject: 'true', config: 'version: 1\nunknown: 1\n' }, 1],
    ['nothing wrong', { ...OWN, 'file-a': '{ format: json, from: app }' }, 3],
  ])('with %s is parsed once', async (_, said, texts) => {
    using composed = vi.spyOn(yaml.Composer.prototype, 'compose');
    await denialOf('pannier.dev', said as Readonly<Record<string, string>>);
    expect(composed).toHaveBeenCalledTimes(texts);
  });

  it.each([
    [
      'file-a',
      '{ format: json,\n  from: [app }',
      'file-a is not valid YAML: line 2, column 14: the indentation does not fit',
    ],
    [
      'file-a',
      '{ format: json, format: json }',
      'file-a is not valid YAML: line 1, column 17: a key is in its map already',
    ],
    [
      'reload',
      '- &a { signal: { child: HUP } }\n- *a',
      'reload is not valid YAML: line 2, column 3: there are no aliases here',
    ],
    [
      'config',
      '{ version: 1,\n  a: [ }',
      'config gives no valid configuration: line 2, column 8: not YAML: a character',
    ],
  ])('tells the line and the column of what is wrong in %s (%j)', async (name, text, says) => {
    const said = name === 'config' ? { inject: 'true' } : { ...OWN, 'file-a': '{ format: json, from: app }' };
    expect(await denialOf('pannier.dev', { ...said, [name]: text })).toContain(`pannier.dev/${says}`);
  });

  it('has no character in its denial that could control a terminal', async () => {
    expect(await denialOf('pannier.dev', { ...OWN, 'rol\u001b[2J\u202e': 'x' })).toContain(
      'pannier.dev/rol?[2J? is unknown',
    );
  });

  it('is as it is when the pod asks for no agent', async () => {
    expect(await denialOf('example.com', numbered(1000, 'x', 'y'.repeat(250)))).toBeUndefined();
    expect(await denialOf('pannier.dev', { inject: 'false', config: '['.repeat(200_000) })).toBeUndefined();
  });
});
