import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ensureOpenBao, type World } from '../servers/index.ts';
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
interface Work {
  readonly world: World;
  /** On tmpfs; the contender makes its own directory inside. */
  readonly dir: string;
  readonly secrets: readonly string[];
}

/** `bao agent`, ending after it rendered everything once: one template a secret. */
export async function baoAgent({ world, dir, secrets }: Work): Promise<Contender> {
  const home = join(dir, `bao-agent-${secrets.length}`);
  const out = join(home, 'out');
  const config = join(home, 'agent.hcl');
  await mkdir(home);
  const templates = secrets.map((name) => {
    const contents = `{{ with secret "secret/data/shop/${name}" }}{{ .Data.data.password }}{{ end }}`;
    return `template {\n  contents = ${JSON.stringify(contents)}\n  destination = "${out}/${name}"\n  perms = "0400"\n}\n`;
  });
  await writeFile(
    config,
    `exit_after_auth = true
vault { address = "${world.bao.address}" }
auto_auth {
  method "kubernetes" {
    config = { role = "shop", token_path = "${world.tokenFile}" }
  }
}
${templates.join('')}`,
  );
  const order = {
    argv: [await ensureOpenBao(), 'agent', `-config=${config}`],
    env: { HOME: home },
    log: join(home, 'log'),
  };
  return { name: 'bao agent', order, clear: () => empty(out), published: () => readFiles(out) };
}

/** `pannier init` as it is built: one output with one file a secret. */
export async function pannier({ world, dir, secrets }: Work, bin = resolve('dist/pannier.js')): Promise<Contender> {
  const home = join(dir, `pannier-${secrets.length}`);
  const out = join(home, 'out');
  const config = join(home, 'pannier.json');
  await mkdir(home);
  const text = JSON.stringify({
    version: 1,
    backends: {
      bao: {
        kind: 'vault',
        address: world.bao.address,
        auth: { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile },
      },
    },
    secrets: Object.fromEntries(secrets.map((name) => [name, { kv: `secret/shop/${name}` }])),
    outputs: {
      shop: {
        dir: out,
        files: Object.fromEntries(secrets.map((name) => [name, { content: `{{${name}.password}}` }])),
      },
    },
  });
  await writeFile(config, text);
  const order = { argv: [process.execPath, bin, 'init', '-c', config], env: {}, log: join(home, 'log') };
  return { name: 'pannier', order, clear: () => empty(out), published: () => readFiles(join(out, '..data')) };
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
