import { describe, expect, it } from 'vitest';
import { answerTo } from './review.helpers.ts';

const denialOf = async (annotations: Readonly<Record<string, string>>): Promise<string | undefined> =>
  (await answerTo({ metadata: { annotations }, spec: { containers: [{ name: 'app', image: 'x' }] } })).denied;

const prefixed = (prefix: string, all: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [prefix + name, value]));

const own = (more: Readonly<Record<string, string>>): Record<string, string> =>
  prefixed('pannier.dev/', {
    inject: 'true',
    role: 'shop',
    'secret-app': '{ kv: secret/shop/app }',
    'file-app.env': '{ format: dotenv, from: app }',
    ...more,
  });

const vault = (more: Readonly<Record<string, string>>): Record<string, string> =>
  prefixed('vault.hashicorp.com/', {
    'agent-inject': 'true',
    role: 'shop',
    'agent-inject-secret-app': 'kv1/app',
    ...more,
  });

const VARIABLE = '{{ env "POD_NAME" }}';

describe('a denial', () => {
  it.each([
    [{ 'file-app.env': '{ format: dotenf, from: app }' }, 'pannier.dev/file-app.env gives no valid configuration: '],
    [{ 'secret-app': '{ kvx: a }' }, 'pannier.dev/secret-app gives no valid configuration: '],
    [{ address: 'junk' }, 'pannier.dev/address gives no valid configuration: '],
    [{ reload: '{ signal: {} }' }, 'pannier.dev/reload gives no valid configuration: '],
    [{ 'size-limit': '0' }, 'pannier.dev/size-limit must be more than 0'],
  ])('names the annotation that is wrong: %o', async (more, begin) => {
    expect((await denialOf(own(more)))?.startsWith(begin)).toBe(true);
  });

  it('says of a path that is not absolute only that', async () => {
    expect(await denialOf(own({ 'volume-path': 'secrets' }))).toBe('pannier.dev/volume-path must be an absolute path');
  });

  it('has lines of the annotation, and no file', async () => {
    const text = await denialOf({ 'pannier.dev/inject': 'true', 'pannier.dev/config': 'version: 1\n  a: [' });
    expect(text).toContain('pannier.dev/config gives no valid configuration: line 2, column 7: not YAML');
    expect(text).not.toContain('/etc/pannier');
  });

  it.each([
    [{ 'agent-inject-contaners': 'a' }, 'it is unknown; did you mean "agent-inject-containers"?'],
    [{ 'agent-inject-secret-b': 'secret/data/b' }, 'Write agent-inject-default-template: json'],
    [{ 'agent-inject-template-file-app': '/t' }, 'Write the template of the file into agent-inject-template-NAME.'],
    [{ 'agent-configmap': 'a' }, 'name the result in pannier.dev/config-map.'],
    [{ 'agent-inject-template-app': VARIABLE }, 'vault.hashicorp.com/agent-inject-template-app gives no valid'],
    [{ 'agent-inject-template-app': VARIABLE }, 'the variable POD_NAME is not set for the agent'],
  ])('says for annotations of vault-k8s what to do in a pod: %o', async (more, part) => {
    expect(await denialOf(vault(more))).toContain(part);
  });

  it('says the same for each way to write "true"', async () => {
    const [short, long] = [{ 'agent-inject': '1' }, { 'agent-inject': 'true' }].map((one) =>
      prefixed('vault.hashicorp.com/', one),
    );
    expect(await denialOf(short ?? {})).toBe(await denialOf(long ?? {}));
    expect(await denialOf(short ?? {})).toContain('vault.hashicorp.com/role is missing');
  });

  it('names a stray annotation of Pannier alone', async () => {
    expect(await denialOf({ ...vault({}), 'pannier.dev/role': 'shop' })).toBe(
      'pannier.dev/role goes with secret-NAME and file-NAME: here annotations vault.hashicorp.com/ say it',
    );
  });
});
