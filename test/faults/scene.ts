/** Makes the scene of one case: server, fault proxy, agent, readers. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Moto, startMoto, startWorld, type World } from '../servers/index.ts';
import { createPlace, eventually, startAgent } from '../system/agent.helpers.ts';
import { get } from '../system/observe.helpers.ts';
import type { FaultCase, Mode, Scene, Told } from './case.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { readApi, readFiles, readFilesOf, valueNumber } from './reader.ts';

/** Servers that cases share which do them no harm; started on first need. */
export class SharedServers implements AsyncDisposable {
  #world: Promise<World> | undefined;
  #moto: Promise<Moto> | undefined;

  world(): Promise<World> {
    this.#world ??= startWorld();
    return this.#world;
  }

  moto(): Promise<Moto> {
    this.#moto ??= startMoto();
    return this.#moto;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#world, this.#moto].map(async (one) => (await one)?.stop()));
  }
}

const REFRESH = { short: '250ms', full: '500ms' } as const;
const AWS_ENV = {
  AWS_ACCESS_KEY_ID: 'AKIATEST',
  AWS_SECRET_ACCESS_KEY: 'made-up',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_REGION: 'eu-west-1',
};

/** Resolves when the first value is published and readers read. */
export async function startScene(one: FaultCase, mode: Mode, shared: SharedServers): Promise<Scene & AsyncDisposable> {
  const undo: (() => unknown)[] = [];
  const dispose = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const scene = await setUp(one, mode, shared, (step) => void undo.push(step));
    return Object.assign(scene, { [Symbol.asyncDispose]: dispose });
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function setUp(one: FaultCase, mode: Mode, shared: SharedServers, after: Scene['after']): Promise<Scene> {
  const { setup = {}, on } = one;
  const use = <Thing extends AsyncDisposable>(thing: Thing) => {
    after(() => thing[Symbol.asyncDispose]());
    return thing;
  };
  const { dir, config } = use(await createPlace());
  const server = await startServer(one, shared, after);
  const tls = await setup.tls?.(dir);
  const proxy = use(await startFaultProxy(server.address, tls?.server));
  const base = { ...server, dir, out: join(dir, setup.out ?? 'out'), proxy, after, kept: new Map<string, unknown>() };
  const start = await setup.prepare?.(base);
  const address = setup.address?.(proxy) ?? proxy.address;
  const path = on === 'OpenBao' ? `shop/${one.id}` : one.id;
  const values = { number: 0 };
  const rotate = async () => {
    await server.put(path, valueNumber(values.number + 1));
    values.number++;
  };
  await rotate();
  const more = setup.more?.(dir);
  const configFile = await config({
    log: { level: 'debug' },
    backends: {
      main: { ...server.backendAt(address), ...tls?.client, ...setup.backend, ...start?.backend },
      ...more?.backends,
    },
    secrets: {
      app: { backend: 'main', refresh: REFRESH[mode], ...(setup.secret?.(path) ?? server.secretOf(path)) },
      ...more?.secrets,
    },
    outputs: { shop: { dir: base.out, files: readFilesOf(), ...setup.output }, ...more?.outputs },
    api: { socket: join(dir, 'api.sock') },
  });
  const options = { env: { ...AWS_ENV, ...start?.env }, under: start?.under ?? [] };
  const agent = startAgent(['run', '-c', configFile], options);
  after(() => agent.stop());
  await agent.waitFor('output-published', { count: 1 + Object.keys(more?.outputs ?? {}).length, withinMs: 60_000 });
  const socket = join(dir, 'api.sock');
  const files = use(readFiles(base.out));
  const api = use(readApi(socket));
  await eventually(() => expect([files.seen.last, api.seen.last]).toEqual([values.number, values.number]));
  const told = async (name = 'app') =>
    toldOf(name, JSON.parse((await get(socket, '/v1/status')).body), (await get(socket, '/readyz')).status);
  const scene = { ...base, mode, path, agent, files, api, rotate, told, number: 0 };
  return Object.defineProperty(scene, 'number', { get: () => values.number });
}

interface Server {
  readonly address: string;
  readonly world: World;
  readonly moto: Moto;
  put(path: string, value: string): Promise<unknown>;
  secretOf(path: string): object;
  backendAt(address: string): object;
}

/** A case that asks for the server that it does not have fails where it uses it. */
const NONE = undefined as never;

async function startServer(
  { on, setup = {} }: FaultCase,
  shared: SharedServers,
  after: Scene['after'],
): Promise<Server> {
  if (on === 'AWS (moto)') {
    const moto = setup.world === undefined ? await shared.moto() : await startMoto();
    if (setup.world !== undefined) after(() => moto.stop());
    return {
      address: moto.address,
      world: NONE,
      moto,
      put: (path, value) => moto.putSecret(path, JSON.stringify({ value })),
      secretOf: (path) => ({ secretId: path }),
      backendAt: (endpoint) => ({ kind: 'aws-secrets-manager', endpoint, timeout: '500ms' }),
    };
  }
  const world = setup.world === undefined ? await shared.world() : await startWorld(setup.world);
  if (setup.world !== undefined) after(() => world.stop());
  const auth = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile };
  const putUsual = (path: string, value: string) => world.bao.api('POST', `secret/data/${path}`, { data: { value } });
  return {
    address: world.bao.address,
    world,
    moto: NONE,
    put: (path, value) => setup.put?.(world, path, value) ?? putUsual(path, value),
    secretOf: (path) => ({ kv: `secret/${path}` }),
    backendAt: (address) => ({ kind: 'vault', address, timeout: '500ms', auth }),
  };
}

interface Stated {
  readonly name: string;
  readonly state: string;
  readonly failure?: { readonly code: string };
}
interface Status {
  readonly backends: readonly Pick<Stated, 'failure'>[];
  readonly secrets: readonly Stated[];
  readonly outputs: readonly Stated[];
}

function toldOf(name: string, { backends, secrets, outputs }: Status, readyStatus: number): Told {
  const secret = secrets.find((one) => one.name === name);
  const [output, backend] = [outputs.find((one) => one.name === 'shop'), backends[0]];
  return {
    secret: secret?.state ?? 'none',
    output: output?.state ?? 'none',
    code: secret?.failure?.code ?? output?.failure?.code ?? backend?.failure?.code,
    ready: readyStatus === 200,
  };
}
