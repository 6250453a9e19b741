import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ensureOpenBao } from '../servers/index.ts';
import type { Order } from './stopwatch.ts';

/** One agent on one piece of work: secrets in a running OpenBao become a file each. */
export interface Contender {
  readonly name: string;
  readonly order: Order;
  /** Makes the next run a first one: nothing is published. */
  clear(): Promise<void>;
  /** What it published: contents by file name. */
  published(): Promise<ReadonlyMap<string, string>>;
}

/** Everything but the command line, which each agent gets its own way. */
export interface Work {
  readonly address: string;
  readonly tokenFile: string;
  /** On tmpfs; the contender makes its own directory inside. */
  readonly dir: string;
  readonly secrets: readonly string[];
}

/** What an agent that stays is asked for as well. */
export interface Staying {
  /** Serves a local socket: `bao agent` its proxy with its cache, `pannier` its API. */
  readonly socket?: boolean;
  /** `pannier` also serves its proxy on a socket, as `bao agent` does with `socket`. */
  readonly proxy?: boolean;
  /** Each secret is read again so often; the agent's own default when absent. */
  readonly refresh?: string;
  /** So many secrets an output, which are named `o0`, `o1` and on; all in one when absent. */
  readonly inOutput?: number | undefined;
  /** Of these outputs; Pannier's own when absent. */
  readonly quiet?: string;
}

/** `bao agent`, ending after it rendered everything once: one template a secret. */
export async function baoAgent(work: Work): Promise<Contender> {
  const { home, out, config } = await writeBaoAgent(work, { once: true });
  const order = {
    argv: [await ensureOpenBao(), 'agent', `-config=${config}`],
    env: { HOME: home },
    log: join(home, 'log'),
  };
  return { name: 'bao agent', order, clear: () => empty(out), published: () => readFiles(out) };
}

/** `pannier init` as it is built: one output with one file a secret, or several outputs. */
export async function pannier(work: Work, outputs: Pick<Staying, 'inOutput'> = {}): Promise<Contender> {
  const { home, out, config } = await writePannier(work, outputs);
  const argv = [process.execPath, resolve('dist/pannier.js'), 'init', '-c', config];
  const dirs = async () =>
    outputs.inOutput === undefined ? [out] : (await readdir(out)).map((name) => join(out, name));
  const published = async () => {
    const all = await Promise.all((await dirs()).map((dir) => readFiles(join(dir, '..data'))));
    return new Map(all.flatMap((files) => [...files]).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return { name: 'pannier', order: { argv, env: {}, log: join(home, 'log') }, clear: () => empty(out), published };
}

/** A Node program that does nothing else: what `pannier` could at best be. */
export async function bareProgram({ address, tokenFile, dir, secrets }: Work): Promise<Contender> {
  const home = join(dir, `bare-${secrets.length}`);
  const out = join(home, 'out');
  await mkdir(home);
  const program = join(import.meta.dirname, 'floor.mjs');
  const names = join(home, 'names.json');
  await writeFile(names, JSON.stringify(secrets));
  const order = { argv: [process.execPath, program, address, tokenFile, names, out], env: {}, log: join(home, 'log') };
  return { name: 'bare Node', order, clear: () => empty(out), published: () => readFiles(out) };
}

export interface Written {
  readonly home: string;
  /** Where files appear; with `inOutput` in a directory an output. */
  readonly out: string;
  readonly config: string;
}

export async function writeBaoAgent(
  { address, tokenFile, dir, secrets }: Work,
  { once = false, socket, refresh }: Staying & { readonly once?: boolean },
): Promise<Written> {
  const home = join(dir, `bao-agent-${secrets.length}`);
  const [out, config] = [join(home, 'out'), join(home, 'agent.hcl')];
  await mkdir(home);
  const templates = secrets.map((name) => {
    const contents = `{{ with secret "secret/data/shop/${name}" }}{{ .Data.data.password }}{{ end }}`;
    return `template {\n  contents = ${JSON.stringify(contents)}\n  destination = "${out}/${name}"\n  perms = "0400"\n}\n`;
  });
  const listener = `api_proxy { use_auto_auth_token = true }
cache {}
listener "unix" {
  address = "${home}/bao.sock"
  tls_disable = true
}
`;
  await writeFile(
    config,
    `exit_after_auth = ${once}
vault { address = "${address}" }
auto_auth {
  method "kubernetes" {
    config = { role = "shop", token_path = "${tokenFile}" }
  }
}
${refresh === undefined ? '' : `template_config { static_secret_render_interval = "${refresh}" }\n`}${socket ? listener : ''}${templates.join('')}`,
  );
  return { home, out, config };
}

export async function writePannier(
  { address, tokenFile, dir, secrets }: Work,
  { socket, proxy, refresh, inOutput, quiet }: Staying = {},
): Promise<Written> {
  const home = join(dir, `pannier-${secrets.length}`);
  const [out, config] = [join(home, 'out'), join(home, 'pannier.json')];
  await mkdir(home);
  const file = (name: string) => ({ [name]: { content: `{{${name}.password}}` } });
  const whole = { shop: { dir: out, files: Object.assign({}, ...secrets.map(file)) } };
  const grouped = (size: number) =>
    Object.fromEntries(
      Array.from({ length: Math.ceil(secrets.length / size) }, (_, at) => {
        const files = Object.assign({}, ...secrets.slice(at * size, (at + 1) * size).map(file));
        return [`o${at}`, { dir: join(out, `o${at}`), ...(quiet === undefined ? {} : { quiet }), files }];
      }),
    );
  const text = {
    version: 1,
    backends: { bao: { kind: 'vault', address, auth: { method: 'kubernetes', role: 'shop', tokenFile } } },
    secrets: Object.fromEntries(
      secrets.map((name) => [name, { kv: `secret/shop/${name}`, ...(refresh === undefined ? {} : { refresh }) }]),
    ),
    outputs: inOutput === undefined ? whole : grouped(inOutput),
    ...(socket ? { api: { socket: join(home, 'api.sock') } } : {}),
    ...(proxy ? { proxy: { socket: join(home, 'proxy.sock'), backend: 'bao' } } : {}),
  };
  await writeFile(config, JSON.stringify(text, null, 2));
  return { home, out, config };
}

async function empty(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { mode: 0o700 });
}

async function readFiles(dir: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const name of (await readdir(dir)).sort()) files.set(name, await readFile(join(dir, name), 'utf8'));
  return files;
}
