import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AppRole, enableAppRole } from '../servers/index.ts';
import { type AgentOptions, runAgent } from './agent.helpers.ts';
import { fileBackend, writeSecrets } from './file-backend.helpers.ts';
import { baoOf, failuresOf, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true });
let approle: AppRole;

beforeAll(async () => {
  const { bao, putSecret } = world();
  await putSecret('app', { password: 'hunter2' });
  approle = await enableAppRole(bao, { role: 'shop', policies: ['shop'] });
});

async function get(args: readonly string[], options?: AgentOptions) {
  const agent = await runAgent(['get', ...args], options);
  return { status: agent.status, stdout: agent.stdout(), stderr: agent.stderr(), failures: failuresOf(agent) };
}

const FETCHED = 'get: no agent answers, so the secret was fetched with a login of its own\n';

describe('pannier get without an agent', () => {
  it('prints a field, a secret and the document, as it does with an agent', async () => {
    const place = await scene.place();
    await writeSecrets(place, { app: { password: 'hünter\n2', port: 8080 } });
    const config = await place.config({ backends: fileBackend, secrets: { app: { key: 'app' } } });
    const direct = (...args: string[]) => get([...args, '--direct', '-c', config]);
    expect(await direct('app.password')).toMatchObject({ status: 0, stdout: 'hünter\n2', stderr: '' });
    expect((await direct('app')).stdout).toBe('{"password":"hünter\\n2","port":8080}\n');
    expect((await direct('app.port', '--json')).stdout).toBe('8080\n');
    expect(JSON.parse((await direct('app', '--json')).stdout)).toMatchObject({ name: 'app', fields: { port: 8080 } });
    expect(await direct('ap')).toMatchObject({
      status: 1,
      failures: [{ code: 'API_UNKNOWN_SECRET', seen: 'there is no secret named "ap"; did you mean "app"?' }],
    });
    expect((await direct('app.nope')).failures).toMatchObject([{ code: 'API_UNKNOWN_FIELD', place: 'app.nope' }]);
  });

  it('fetches when a configuration is given and no agent runs, but never when an address is named', async () => {
    const place = await scene.place();
    await writeSecrets(place, { app: { password: 'hunter2' } });
    const base = { backends: fileBackend, secrets: { app: { key: 'app' } } };
    const fetched = { status: 0, stdout: 'hunter2', stderr: FETCHED };
    const config = await place.config({ ...base, api: { socket: './none.sock' } }, 'pannier.yaml');
    expect(await get(['app.password', '-c', config])).toMatchObject(fetched);
    expect(await get(['app.password'], { env: { PANNIER_CONFIG: config } })).toMatchObject(fetched);
    expect(await get(['app.password'], { cwd: place.dir })).toMatchObject(fetched);
    const withoutApi = await place.config(base, 'other.json');
    // An agent of this configuration may run, and could not be asked.
    expect(await get(['app.password', '-c', withoutApi])).toMatchObject({ status: 2, stdout: '' });
    expect(await get(['app.password', '-c', withoutApi, '--direct'])).toMatchObject({ ...fetched, stderr: '' });

    const socket = join(place.dir, 'none.sock');
    const refused = { status: 1, stdout: '', failures: [{ code: 'AGENT_UNREACHABLE' }] };
    expect(await get(['app.password', '-c', config, '--socket', socket])).toMatchObject(refused);
    expect(await get(['app.password', '-c', config], { env: { PANNIER_SOCKET: socket } })).toMatchObject(refused);
    expect((await get(['app', '--direct', '--socket', socket])).stderr).toContain('cannot be used with');
  });

  it('asks OpenBao for this secret alone, and revokes its login', async () => {
    const place = await scene.place();
    const { bao } = world();
    const config = await place.config({
      backends: {
        bao: baoOf(world()),
        down: { ...baoOf(world()), address: 'http://127.0.0.1:1' },
      },
      secrets: { app: { backend: 'bao', kv: 'secret/shop/app' }, other: { backend: 'bao', kv: 'secret/shop/other' } },
    });
    const accessors = async () =>
      JSON.stringify(((await bao.api('LIST', 'auth/token/accessors')) as { data: unknown }).data);
    const before = await accessors();
    const asked = (await bao.requests()).length;
    expect(await get(['app.password', '--direct', '-c', config])).toMatchObject({
      status: 0,
      stdout: 'hunter2',
      stderr: '',
    });
    expect(await accessors()).toBe(before);
    const paths = (await bao.requests()).slice(asked).map(({ path }) => path);
    expect(paths).toContain('auth/token/revoke-self');
    expect(paths).not.toContain('secret/data/shop/other');
  });

  it('reports why a login or a secret is refused, with the status of init', async () => {
    const place = await scene.place();
    const config = await place.config({
      backends: { bao: baoOf(world()) },
      secrets: { none: { kv: 'secret/shop/none' }, denied: { kv: 'secret/elsewhere/x' } },
    });
    const none = await get(['none', '--direct', '-c', config]);
    expect([none.status, none.failures.map(({ code }) => code)]).toEqual([1, ['SECRET_NOT_FOUND']]);
    const denied = await get(['denied', '--direct', '-c', config]);
    expect([denied.status, denied.failures.map(({ code }) => code)]).toEqual([4, ['SECRET_DENIED']]);
  });

  it('uses up no wrapped secret id unless it is told to', async () => {
    const place = await scene.place();
    const secretIdFile = join(place.dir, 'secret-id');
    await writeFile(secretIdFile, await approle.newWrappedSecretId());
    const auth = { method: 'approle', roleId: approle.roleId, secretIdFile, secretIdWrapped: true };
    const config = await place.config({
      backends: { bao: { kind: 'vault', address: world().bao.address, auth } },
      secrets: { app: { kv: 'secret/shop/app' } },
      api: { socket: './none.sock' },
    });
    const refused = await get(['app.password', '-c', config]);
    expect([refused.status, refused.failures.map(({ code }) => code)]).toEqual([1, ['AGENT_UNREACHABLE']]);
    expect((await get(['app.password', '--direct', '-c', config])).stdout).toBe('hunter2');
  });
});
