import { describe, expect, it } from 'vitest';
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

  it('is as it is when the pod asks for no agent', async () => {
    expect(await denialOf('example.com', numbered(1000, 'x', 'y'.repeat(250)))).toBeUndefined();
    expect(await denialOf('pannier.dev', { inject: 'false', config: '['.repeat(200_000) })).toBeUndefined();
  });
});
