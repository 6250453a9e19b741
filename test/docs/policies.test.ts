import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  type AppRole,
  addStaticRole,
  enableAppRole,
  ensureOpenBaoFolder,
  type Moto,
  startMoto,
  writePolicy,
} from '../servers/index.ts';
import { runAgent } from '../system/agent.helpers.ts';
import { useScene, useWorld } from '../system/openbao.helpers.ts';
import { fencedBlocks } from './fenced.ts';

const PAGE = 'docs/how-to/policies.md';

/** A policy of the page, and the block after it: the configuration that works under it. */
const recipes = fencedBlocks()
  .filter(({ page }) => page === PAGE)
  .flatMap(({ language, text }, at, blocks) => {
    const next = blocks[at + 1];
    return ['hcl', 'json', 'sh'].includes(language)
      ? [{ language, text, next: next?.language === 'yaml' ? next.text : '' }]
      : [];
  });
const of = (wanted: string) =>
  recipes.filter(({ language }) => language === wanted).map((one) => [one.text.split('\n')[0] ?? '', one] as const);

const scene = useScene();

type Sections = Readonly<Record<string, Record<string, unknown>>>;

/** What the page's configuration leaves out: an output of all secrets. */
function outputsOf({ secrets, outputs }: Sections, dir: string): object {
  if (outputs === undefined)
    return { all: { dir, files: { all: { format: 'json', from: Object.keys(secrets ?? {}) } } } };
  return Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, { ...(output as object), dir }]));
}

describe('on a real OpenBao', () => {
  const world = useWorld({ database: true });
  let approle: AppRole;
  beforeAll(async () => {
    const { bao, postgres } = world();
    await addStaticRole(bao, postgres, { role: 'shop-static', rotationPeriod: '1h' });
    await bao.api('PUT', 'kv1/shop/app', { password: 'made-up' });
    await world().putSecret('app', { password: 'made-up' });
    await world().putSecret('users/ann', { password: 'made-up' });
    await bao.api('POST', 'sys/mounts/transit', { type: 'transit' });
    await bao.api('POST', 'transit/keys/shop', {});
    await bao.api('PUT', 'identity/oidc/key/shop', { allowed_client_ids: ['*'] });
    await bao.api('PUT', 'identity/oidc/role/shop', { key: 'shop' });
    approle = await enableAppRole(bao, { role: 'cook', policies: ['cook'] });
  });

  async function init(policy: string, sections: Sections) {
    const { bao } = world();
    await writePolicy(bao, 'cook', `# for the test\n${policy}`);
    const { dir, config } = await scene.place();
    await writeFile(join(dir, 'secret-id'), await approle.newSecretId());
    const auth = { method: 'approle', roleId: approle.roleId, secretIdFile: join(dir, 'secret-id') };
    const path = await config({
      backends: { bao: { kind: 'vault', address: bao.address, auth } },
      ...sections,
      outputs: outputsOf(sections, join(dir, 'out')),
    });
    const { status, output } = await runAgent(['init', '-c', path, '--timeout', '20s']);
    return { status, output };
  }

  it.each(of('hcl').filter(([, { next }]) => next !== ''))(
    '%s is enough, and none of its lines too many',
    async (_, { text, next }) => {
      const sections = parse(next) as Sections;
      const whole = await init(text, sections);
      expect([whole.status, whole.status === 0 ? '' : whole.output()]).toEqual([0, '']);
      const lines = text.trim().split('\n');
      for (const line of lines) {
        const { status, output } = await init(lines.filter((one) => one !== line).join('\n'), sections);
        expect([line, status, output()]).toEqual([line, 4, expect.stringContaining('SECRET_DENIED')]);
      }
    },
  );

  it('without the policy default, a lease and a login are renewed and the login revoked by the lines of the page', async () => {
    const { bao } = world();
    const [, { text }] = of('hcl').find(([, { next }]) => next === '') ?? ['', { text: '' }];
    await writePolicy(bao, 'bare', text);
    await bao.api('PUT', 'auth/approle/role/bare', { token_policies: ['bare'], token_no_default_policy: true });
    const { data } = await bao.api<{ role_id: string }>('GET', 'auth/approle/role/bare/role-id');
    const made = await bao.api<{ secret_id: string }>('POST', 'auth/approle/role/bare/secret-id', {});
    const login = { role_id: data.role_id, secret_id: made.data.secret_id };
    const { auth } = await bao.api('POST', 'auth/approle/login', login, {});
    const as = <Data>(method: string, path: string, body?: object) =>
      bao.api<Data>(method, path, body, auth.client_token);
    const lease = await as('GET', 'database/creds/shop');
    await as('PUT', 'sys/leases/renew', { lease_id: lease.lease_id });
    const { data: self } = await as<{ policies: string[] }>('GET', 'auth/token/lookup-self');
    expect(self.policies).toEqual(['bare']);
    await as('PUT', 'auth/token/renew-self', {});
    await as('PUT', 'auth/token/revoke-self', {});
    await expect(as('GET', 'auth/token/lookup-self')).rejects.toThrow('403');

    // Without the lines of `default` the secret is fetched nevertheless.
    await writePolicy(bao, 'bare', text.split('\n', 1).join(''));
    const { dir, config } = await scene.place();
    await writeFile(join(dir, 'secret-id'), made.data.secret_id);
    const path = await config({
      backends: {
        bao: {
          kind: 'vault',
          address: bao.address,
          auth: { method: 'approle', roleId: data.role_id, secretIdFile: join(dir, 'secret-id') },
        },
      },
      secrets: { db: { read: 'database/creds/shop' } },
      outputs: outputsOf({ secrets: { db: {} } }, join(dir, 'out')),
    });
    expect((await runAgent(['init', '-c', path, '--timeout', '20s'])).status).toBe(0);
  });

  const commands = of('sh')
    .filter(([, { next }]) => next !== '')
    .flatMap(([title, one]) => ['bash', 'zsh'].map((shell) => ({ title, shell, ...one })));
  it.for(commands)('$title makes in $shell a role that lets the agent in', async ({ shell, text, next }, { skip }) => {
    skip(spawnSync(shell, ['-c', 'true']).error !== undefined, `${shell} is not on the PATH`);
    const { bao, review } = world();
    const { dir, config } = await scene.place();
    await writePolicy(bao, 'shop', 'path "secret/data/shop/app" { capabilities = ["read"] }');
    for (const method of ['approle', 'jwt']) await bao.api('DELETE', `sys/auth/${method}`);
    await writeFile(join(dir, 'issuer.pem'), review.publicKeyPem);
    await writeFile(join(dir, 'token'), await review.mintToken({ serviceAccount: 'shop', audience: 'openbao' }));
    const env = { ...bao.env, HOME: dir, PATH: `${await ensureOpenBaoFolder()}${delimiter}${process.env['PATH']}` };
    await promisify(execFile)(shell, ['-e', '-c', text], { cwd: dir, env });
    const { backends } = parse(next.replace('https://openbao:8200', bao.address)) as Sections;
    const sections = { backends, secrets: { app: { kv: 'secret/shop/app' } } };
    const path = await config({ ...sections, outputs: outputsOf(sections as Sections, join(dir, 'out')) });
    const { status, output } = await runAgent(['init', '-c', path, '--timeout', '20s']);
    expect([status, status === 0 ? '' : output()]).toEqual([0, '']);
  });
});

describe('on moto', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
    await moto.createSecrets({ 'prod/shop/app': '{"password":"made-up"}' });
    await moto.putParameter('/prod/shop/url', 'made-up');
  });
  afterAll(() => moto.stop());

  /** moto checks the actions of a policy, not its resources. */
  const anywhere = (policy: string) => policy.replaceAll(/"Resource": "[^"]*"/g, '"Resource": "*"');

  it.each(of('json').map(([, one], at) => [at, parse(one.next) as Sections, one] as const))(
    'policy %i lets the agent read %o, and no policy does not',
    async (at, sections, { text }) => {
      const statuses = [];
      for (const policy of [
        JSON.parse(anywhere(text)),
        { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] },
      ]) {
        await moto.checkPolicies(false);
        const user = await moto.user(`shop-${at}-${statuses.length}`, policy);
        await moto.checkPolicies();
        const { dir, config } = await scene.place();
        const aws = { kind: 'aws-secrets-manager', region: moto.region, endpoint: moto.address };
        const path = await config({ backends: { aws }, ...sections, outputs: outputsOf(sections, join(dir, 'out')) });
        const env = { AWS_ACCESS_KEY_ID: user.accessKeyId, AWS_SECRET_ACCESS_KEY: user.secretAccessKey };
        statuses.push((await runAgent(['init', '-c', path, '--timeout', '20s'], { env })).status);
      }
      expect(statuses).toEqual([0, 4]);
    },
  );
});

it('the page has recipes of each kind', () => {
  expect([of('hcl').length, of('sh').length, of('json').length]).toEqual([9, 4, 4]);
  expect(readFileSync(PAGE, 'utf8')).toContain('# Policies');
});
