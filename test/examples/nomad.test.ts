import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseCommandLine } from '../cli/command-line.helpers.ts';
import { readHcl } from './schemas.ts';

type Block = Readonly<Record<string, unknown>>;

/** The keys that Nomad has for each block that the example uses, and the blocks that may be in it. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  job: ['group', 'type', 'datacenters', 'namespace', 'region', 'constraint', 'update', 'meta'],
  group: ['task', 'network', 'count', 'restart', 'update', 'service', 'constraint', 'ephemeral_disk', 'volume'],
  network: ['mode', 'port', 'dns', 'hostname'],
  task: [
    ...['driver', 'user', 'lifecycle', 'identity', 'template', 'config', 'kill_timeout', 'kill_signal', 'resources'],
    ...['restart', 'env', 'leader', 'volume_mount', 'vault', 'service', 'logs', 'constraint'],
  ],
  lifecycle: ['hook', 'sidecar'],
  identity: ['name', 'aud', 'file', 'filepath', 'env', 'ttl', 'change_mode', 'change_signal'],
  template: [
    ...['data', 'source', 'destination', 'change_mode', 'change_signal', 'perms', 'uid', 'gid'],
    ...['left_delimiter', 'right_delimiter'],
  ],
  config: ['image', 'args', 'command', 'entrypoint', 'readonly_rootfs', 'cap_drop', 'security_opt', 'volumes', 'mount'],
  resources: ['cpu', 'cores', 'memory', 'memory_max', 'secrets'],
  restart: ['attempts', 'interval', 'delay', 'mode', 'render_templates'],
};

/** Every key that is in no row of KEYS, with its block. */
const unknownIn = (name: string, block: Block): readonly string[] =>
  Object.entries(block).flatMap(([key, value]) => {
    if (key.startsWith('__')) return [];
    const inner = Array.isArray(value) ? value.filter((one) => typeof one === 'object') : [];
    return [
      ...(KEYS[name]?.includes(key) === false ? [`${name}.${key}`] : []),
      ...inner.flatMap((one) => (key in KEYS ? unknownIn(key, bodyOf(one)) : [])),
    ];
  });

/** A block with a label is a map from the label, in quotes, to its body. */
const bodyOf = (block: Block): Block => {
  const [label, ...others] = Object.keys(block).filter((key) => !key.startsWith('__'));
  return others.length === 0 && label?.startsWith('"') ? (block[label] as Block) : block;
};

/** A text without the quotes that the reader of HCL leaves around it. */
const plain = (value: unknown) => (typeof value === 'string' ? value.replace(/^"|"$/g, '') : value);
const one = (block: Block, key: string): Block => bodyOf((block[key] as readonly Block[])[0] as Block);
const list = (value: unknown) => (value as readonly unknown[]).map(plain) as readonly string[];
const text = readFileSync('examples/nomad/shop.nomad.hcl', 'utf8');

/** The three tasks: the agent, what waits for it, the application. */
async function readTasks(): Promise<readonly [Block, Block, Block]> {
  const tasks = one(one(await readHcl(text), 'job'), 'group')['task'] as readonly Block[];
  return tasks.map(bodyOf) as unknown as readonly [Block, Block, Block];
}

const config = parse(readFileSync('examples/nomad/pannier.yaml', 'utf8'));

describe('Nomad', () => {
  it('shop.nomad.hcl is HCL with keys that Nomad has', { timeout: 120_000 }, async () => {
    expect(unknownIn('', await readHcl(text))).toEqual([]);
    expect(unknownIn('', await readHcl(text.replace('sidecar = true', 'sidecart = true')))).toEqual([
      'lifecycle.sidecart',
    ]);
    await expect(readHcl(text.replace(/\}\n$/, ''))).rejects.toThrow();
  });

  it('the agent is a sidecar before the application, which waits for a check that exists', async () => {
    const [agent, ready, shop] = await readTasks();
    expect(
      [agent, ready].map((task) => [plain(one(task, 'lifecycle')['hook']), one(task, 'lifecycle')['sidecar']]),
    ).toEqual([
      ['prestart', true],
      ['prestart', false],
    ]);
    expect(shop).not.toHaveProperty('lifecycle');
    expect(await parseCommandLine(list(one(agent, 'config')['args']))).toBe('run');
    expect(await parseCommandLine(list(one(ready, 'config')['args']))).toBe('probe');
    expect(plain(one(ready, 'env')['PANNIER_SOCKET'])).toBe(config.admin.listen);
    expect(plain(one(agent, 'config')['image'])).toBe(plain(one(ready, 'config')['image']));
  });

  it('the agent logs in with the identity of the task, and publishes into the tmpfs that the application mounts', async () => {
    const [agent, , shop] = await readTasks();
    const identity = one(agent, 'identity');
    expect(config.backends.bao.auth.tokenFile).toBe(`/secrets/nomad_${plain(identity['name'])}.jwt`);
    expect(identity['file']).toBe(true);
    expect(one(agent, 'template')['data']).toBe('${file("pannier.yaml")}');
    const { dir, gid, dirMode, mode } = config.outputs.shop;
    expect([dirMode, mode]).toEqual(['0750', '0440']);
    expect(list(one(shop, 'config')['volumes'])).toEqual([`../pannier${dir}:/run/shop-secrets:ro`]);
    expect([agent['user'], shop['user']].map(plain)).toEqual([`65532:${gid}`, `1000:${gid}`]);
  });
});
