/** A real OpenBao server for one test, which can be suspended, killed and started again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureOpenBao } from './cache.ts';
import { findFreePort } from './free-port.ts';
import { type AuditedRequest, readAudit } from './openbao-audit.ts';
import { type OpenBaoLayout, openBaoPaths, writeOpenBaoFiles } from './openbao-files.ts';
import { type Answer, type Caller, requestOpenBao } from './openbao-request.ts';
import { ServerProcess } from './server-process.ts';

export interface OpenBaoOptions {
  /** Port of the plain HTTP listener; a free one when absent. */
  readonly port?: number;
  /** Adds an HTTPS listener. It asks for a client certificate, and with `requireClientCert` insists. */
  readonly tls?: boolean | { readonly requireClientCert: boolean };
  /** Adds a Unix socket listener. */
  readonly unix?: boolean;
  /** Keeps data over `kill()` and `start()`. Raft's first election makes the first start take about 2.5 s. */
  readonly persist?: boolean;
}

/** The HTTPS listener, and a client certificate (CN `shop`) that its authority signed. */
export interface OpenBaoTls {
  /** `https://127.0.0.1:PORT`; the certificate also names `localhost` and `openbao`. */
  readonly address: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Another client certificate (CN `other`) of the same authority. */
  readonly other: { readonly certFile: string; readonly keyFile: string };
}

/**
 * Resolves to an initialised, unsealed OpenBao on 127.0.0.1, in about 0.3 s. It ends with `stop()`, and with the test
 * process at the latest. Rejects with OpenBao's own log when it does not come up.
 */
export async function startOpenBao(options: OpenBaoOptions = {}): Promise<OpenBao> {
  const binary = await ensureOpenBao();
  for (let attempt = 1; ; attempt++) {
    const layout = await layOut(options);
    await writeOpenBaoFiles(layout);
    const bao = new OpenBao(binary, layout);
    try {
      await bao.start();
      return bao;
    } catch (error) {
      await bao.stop();
      const isClash = (error as Error).message.includes('address already in use');
      if (!isClash || options.port !== undefined || attempt === 3) throw error;
    }
  }
}

async function layOut(options: OpenBaoOptions): Promise<OpenBaoLayout> {
  return {
    dir: await mkdtemp(join(tmpdir(), 'pannier-openbao-')),
    port: options.port ?? (await findFreePort()),
    clusterPort: await findFreePort(),
    tlsPort: options.tls ? await findFreePort() : undefined,
    requireClientCert: typeof options.tls === 'object' && options.tls.requireClientCert,
    unix: options.unix ?? false,
    persist: options.persist ?? false,
  };
}

/** See `startOpenBao`. */
export class OpenBao implements AsyncDisposable {
  /** `http://127.0.0.1:PORT`, the same after every `start()`. */
  readonly address: string;
  readonly #binary: string;
  readonly #layout: OpenBaoLayout;
  #process: ServerProcess | undefined;
  #rootToken: string | undefined;

  /** For `startOpenBao`, which prepares the directory first. */
  constructor(binary: string, layout: OpenBaoLayout) {
    this.#binary = binary;
    this.#layout = layout;
    this.address = `http://127.0.0.1:${layout.port}`;
  }

  /** The directory of this server's files; removed by `stop()`, and at the end of the test process at the latest. */
  get dir(): string {
    return this.#layout.dir;
  }

  get port(): number {
    return this.#layout.port;
  }

  /** Pid of the process that runs now, or ran last. */
  get pid(): number {
    return known(this.#process?.pid, 'was never started');
  }

  /** The root token; another one after each `start()`, unless the server persists. */
  get rootToken(): string {
    return known(this.#rootToken, 'was never started');
  }

  /** Variables with which a child process finds OpenBao, and is root there. */
  get env(): Record<string, string> {
    return {
      BAO_ADDR: this.address,
      BAO_TOKEN: this.rootToken,
      VAULT_ADDR: this.address,
      VAULT_TOKEN: this.rootToken,
    };
  }

  /** The HTTPS listener. Throws unless started with `tls`. */
  get tls(): OpenBaoTls {
    const port = known(this.#layout.tlsPort, 'has no HTTPS listener: startOpenBao({ tls: true })');
    const { ca, clientCert, clientKey, otherCert, otherKey } = openBaoPaths(this.#layout.dir);
    const other = { certFile: otherCert, keyFile: otherKey };
    return { address: `https://127.0.0.1:${port}`, caFile: ca, certFile: clientCert, keyFile: clientKey, other };
  }

  /** Path of the Unix socket; throws unless started with `unix`. */
  get socket(): string {
    const { socket } = openBaoPaths(this.#layout.dir);
    return known(this.#layout.unix ? socket : undefined, 'has no Unix listener: startOpenBao({ unix: true })');
  }

  /** What the server has written to its log. */
  get log(): string {
    return known(this.#process, 'was never started').log();
  }

  /**
   * Sends a request as root, or as `caller` (a token, or more); `{}` sends no token. `path` has no `/v1/`.
   * Rejects with `OpenBaoError` on a status of 400 or above, otherwise as `requestOpenBao` does.
   */
  api<Data = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    caller: string | Caller = this.rootToken,
  ): Promise<Answer<Data>> {
    const who = typeof caller === 'string' ? { token: caller } : caller;
    return requestOpenBao<Data>(this.address, { method, path, body, ...who });
  }

  /** Resolves to the requests that reached OpenBao so far, in order, without those made with a root token (`api`). */
  async requests(): Promise<AuditedRequest[]> {
    const all = await readAudit(openBaoPaths(this.#layout.dir).audit);
    return all.filter(({ policies, path }) => !policies.includes('root') && path !== 'sys/init');
  }

  /** Starts a killed server again on its ports. Without `persist` it comes back empty, with another root token. */
  async start(): Promise<void> {
    if (this.#process?.isRunning) throw new Error('OpenBao is running already');
    const { dir } = this.#layout;
    const { PATH = '' } = process.env;
    const { config, log } = openBaoPaths(dir);
    const server = new ServerProcess({
      name: 'OpenBao',
      command: this.#binary,
      args: ['server', `-config=${config}`],
      env: { HOME: dir, PATH },
      logFile: log,
      dir,
      endSignal: 'SIGKILL',
    });
    this.#process = server;
    await server.waitUntil(() => this.#answers('sys/seal-status'));
    const { initialized } = (await this.#ask('GET', 'sys/init')) as unknown as { initialized: boolean };
    if (!initialized) {
      const made = await this.#ask('PUT', 'sys/init', { recovery_shares: 1, recovery_threshold: 1 });
      this.#rootToken = (made as unknown as { root_token: string }).root_token;
    }
    await server.waitUntil(() => this.#answers('sys/health'));
  }

  /** The server accepts connections but answers nothing until `resume()`. */
  suspend(): void {
    this.#process?.signal('SIGSTOP');
  }

  resume(): void {
    this.#process?.signal('SIGCONT');
  }

  /** Ends the server as a crash would (SIGKILL); connections are refused until `start()`. */
  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL');
  }

  /** Ends the server and removes its files. Safe to call twice. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#layout.dir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #ask(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.api(method, path, body, {});
  }

  #answers(path: string): Promise<boolean> {
    return this.#ask('GET', path).then(
      () => true,
      () => false,
    );
  }
}

function known<Value>(value: Value | undefined, problem: string): Value {
  if (value === undefined) throw new Error(`OpenBao ${problem}`);
  return value;
}
