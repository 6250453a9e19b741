import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from '../servers/index.ts';
import { baoOf } from './openbao.helpers.ts';

/** Part of every value, credential and private path that must not come out. */
export const CANARY = 'c4n4ry';

/** Environment with every debug output of Node and of libraries; the last two are of the YAML library. */
export const LOUD = {
  DEBUG: '*',
  NODE_DEBUG: 'http,https,net,tls,stream,fs,module,child_process,timer',
  NODE_OPTIONS: '',
  LOG_STREAM: 'prod/shop/1',
  LOG_TOKENS: '1',
};

/** The section `log` that tells most. */
export const LOUD_LOG = { level: 'trace', format: 'json' };

/** LOUD, with `dir` as the home of the agent and `tmp` in it, which is made, for temporary files. */
export function loudIn(dir: string): Record<string, string> {
  const tmp = join(dir, 'tmp');
  mkdirSync(tmp, { recursive: true });
  return { ...LOUD, TMPDIR: tmp, HOME: dir };
}

/** Files below `dir` that hold the canary, by their paths from there. Links are not followed. */
export function filesWithCanary(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size < 1e7 && readFileSync(path).includes(CANARY))
    .map((path) => path.slice(dir.length + 1))
    .sort();
}

/** An agent that has the canary in values and in a computed path, and fails in several ways. */
export interface WellAndFailing {
  /** Its sections `backends`, `secrets` and `outputs`. */
  readonly sections: object;
  /** The token of its second login, which the configuration takes from the variable TOKEN. */
  readonly token: string;
}

/**
 * Puts the values on the server. The output `good` has the value and one whose path is computed of it, `bad` names a
 * field that is not there, `waits` is for a secret that the server denies, and `gone` for a computed path that leads
 * nowhere.
 * @param more what the secret `app` and the output `good` have besides.
 */
export async function wellAndFailing(
  world: World,
  dir: string,
  more: { readonly app?: object; readonly good?: object } = {},
): Promise<WellAndFailing> {
  await world.putSecret('app', { password: CANARY, team: CANARY });
  await world.putSecret(CANARY, { key: `${CANARY}-1` });
  const output = (name: string, content: string) => ({ dir: join(dir, name), files: { f: { content } } });
  const computed = (path: string) => `{{#with (secret ${path} backend="bao")}}{{key}}{{/with}}`;
  const sections = {
    backends: {
      bao: baoOf(world),
      token: { kind: 'vault', address: world.bao.address, auth: { method: 'token', token: '${env:TOKEN}' } },
    },
    secrets: {
      app: { backend: 'bao', kv: 'secret/shop/app', refresh: '200ms', ...more.app },
      denied: { backend: 'token', kv: 'secret/other' },
    },
    outputs: {
      good: { ...output('good', `{{app.password}} ${computed('"secret/shop/" app.team')}`), ...more.good },
      bad: output('bad', '{{app.password.nope}}'),
      waits: output('waits', '{{denied.x}}'),
      gone: output('gone', computed('"secret/gone/" app.password')),
    },
  };
  return { sections, token: await world.login() };
}
