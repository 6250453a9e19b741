import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pythonPackage } from '../render/formats/installed.helpers.ts';
import { ensureGoProgram, ensureOpenBao } from '../servers/index.ts';

const run = promisify(execFile);

/** A way to the server: an address, and the token that clients send there; undefined: they send none. */
export interface Route {
  readonly address: string;
  readonly token: string | undefined;
}

/** A client asks for the same things on each route, and resolves to what it was answered. */
export type Client = (route: Route, dir: string) => Promise<string>;

/** Values that are made anew for each answer, and the address that a client repeats in its messages. */
const FRESH =
  /"(version|server_time_utc|request_id|lease_id|created_time|updated_time|deletion_time|username|password|accessor|id|token|creation_time|creation_ttl|ttl|expire_time|issue_time|entity_id|last_renewal\w*|wrapped_accessor)": ?("[^"]*"|[0-9.]+|null)/g;

/** The answers without what differs each time. */
export function comparable(text: string, { address }: Route): string {
  return text.replaceAll(address, 'ADDRESS').replace(FRESH, '"$1": …');
}

/** Each may come while another route does the same. */
const BAO: readonly (readonly string[])[] = [
  ['kv', 'put', '-format=json', 'secret/shop/bao/app', 'a=ü', 'n=1'],
  ['kv', 'get', '-format=json', 'secret/shop/bao/app'],
  ['kv', 'list', '-format=json', 'secret/shop/bao'],
  ['read', 'secret/data/other'],
  ['read', '-format=json', 'database/creds/shop'],
  ['token', 'lookup', '-format=json'],
];

export const bao: Client = async ({ address, token }, dir) => {
  const binary = await ensureOpenBao();
  const env = { HOME: dir, PATH: '/usr/bin:/bin', BAO_ADDR: address, ...(token && { BAO_TOKEN: token }) };
  let all = '';
  for (const args of BAO) {
    const { stdout, stderr, code } = await run(binary, args, { env }).then(
      (done) => ({ ...done, code: 0 }),
      (error: { stdout: string; stderr: string; code: number }) => error,
    );
    all += `${args.join(' ')}: ${code}\n${stdout}${stderr}`;
  }
  return all;
};

const HVAC = `
import hvac, json, sys
client = hvac.Client(url=sys.argv[1], token=sys.argv[2] if len(sys.argv) > 2 else "")
kv = client.secrets.kv.v2
def told(name, ask):
    try:
        answer = ask()
        print(name, json.dumps(answer if isinstance(answer, dict) else answer.status_code, sort_keys=True, ensure_ascii=False))
    except Exception as error:
        print(name, type(error).__name__, getattr(error, "errors", None))
told("write", lambda: kv.create_or_update_secret("shop/hvac/app", {"a": "\\u00fc", "n": 1}))
told("read", lambda: kv.read_secret_version("shop/hvac/app", raise_on_deleted_version=True))
told("patch", lambda: kv.patch("shop/hvac/app", {"b": "x"}))
told("list", lambda: kv.list_secrets("shop/hvac"))
told("missing", lambda: kv.read_secret_version("shop/hvac/none", raise_on_deleted_version=True))
told("denied", lambda: client.read("secret/data/other"))
told("lease", lambda: client.secrets.database.generate_credentials("shop"))
told("health", lambda: client.sys.read_health_status(method="GET"))
told("self", lambda: client.auth.token.lookup_self())
told("delete", lambda: kv.delete_metadata_and_all_versions("shop/hvac/app"))
`;

export const hvac: Client = async ({ address, token }, dir) => {
  const packages = ['requests==2.34.2', 'urllib3==2.8.0', 'certifi', 'idna==3.20', 'charset_normalizer==3.5.2'];
  const env = {
    PYTHONPATH: await pythonPackage('hvac', '2.4.0', ...packages),
    HOME: dir,
    PATH: '/usr/bin:/bin:/usr/local/bin',
  };
  return (await run('python3', ['-c', HVAC, address, ...(token === undefined ? [] : [token])], { env })).stdout;
};

export const nodeVault: Client = async ({ address, token }) => {
  const { default: createVault } = await import('node-vault');
  const vault = createVault({ endpoint: address, token: token ?? '' });
  const told = async (name: string, answer: Promise<unknown>) => {
    const text = await answer.then(
      (body) => JSON.stringify(body ?? null),
      (error: { response?: { statusCode?: number; body?: unknown } }) =>
        `${error.response?.statusCode} ${JSON.stringify(error.response?.body)}`,
    );
    return `${name} ${text}\n`;
  };
  const path = 'secret/data/shop/node/app';
  return [
    await told('write', vault.write(path, { data: { a: 'ü', n: 1 } })),
    await told('read', vault.read(path)),
    await told('list', vault.list('secret/metadata/shop/node')),
    await told('missing', vault.read('secret/data/shop/node/none')),
    await told('denied', vault.read('secret/data/other')),
    await told('lease', vault.read('database/creds/shop')),
    await told('self', vault.read('auth/token/lookup-self')),
    await told('delete', vault.delete('secret/metadata/shop/node/app')),
  ].join('');
};

export const go: Client = async ({ address, token }, dir) => {
  const program = await ensureGoProgram('go-client');
  const env = { HOME: dir, PATH: '/usr/bin:/bin' };
  return (await run(program, [address, ...(token === undefined ? [] : [token])], { env })).stdout;
};
