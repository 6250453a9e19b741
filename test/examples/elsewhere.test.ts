import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DockerfileParser } from 'dockerfile-ast';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseCommandLine } from '../cli/command-line.helpers.ts';
import { awsProblems, vendorProblems } from './schemas.ts';

const run = promisify(execFile);
const read = (name: string) => readFileSync(`examples/${name}`, 'utf8');

/** Whether a program is installed: it starts with these arguments. */
const isHere = (program: string, ...args: readonly string[]) =>
  run(program, args).then(
    () => true,
    () => false,
  );

describe('Docker Compose', () => {
  it.each(['compose', 'stack'])(
    '%s.yaml is what the Compose Specification allows',
    { timeout: 120_000 },
    async (name) => {
      const file = parse(read(`compose/${name}.yaml`));
      expect(await vendorProblems('compose-spec', file)).toEqual([]);
      const { pannier } = file.services;
      expect(await parseCommandLine(pannier.command)).toBe('run');
      const [, program, ...args] = pannier.healthcheck.test as string[];
      expect([program, await parseCommandLine(args)]).toEqual(['/usr/bin/pannier', 'probe']);
      expect(file.volumes.secrets.driver_opts.type).toBe('tmpfs');
    },
  );

  it('docker stack deploy accepts stack.yaml', async (context) => {
    context.skip(!(await isHere('docker', 'stack', 'config', '--help')), 'docker is not installed');
    const { stdout } = await run('docker', ['stack', 'config', '--compose-file', 'examples/compose/stack.yaml']);
    expect(parse(stdout).services.pannier.deploy.mode).toBe('global');
  });
});

describe('Docker Swarm', () => {
  const stack = parse(read('swarm/stack.yaml'));
  const { shop } = stack.services;
  const config = parse(read('swarm/pannier.yaml'));

  it('stack.yaml is what the Compose Specification allows', { timeout: 120_000 }, async () => {
    expect(await vendorProblems('compose-spec', stack)).toEqual([]);
    expect(await vendorProblems('compose-spec', { ...stack, scrts: {} })).not.toEqual([]);
  });

  it('docker stack deploy accepts it', async (context) => {
    context.skip(!(await isHere('docker', 'stack', 'config', '--help')), 'docker is not installed');
    const { stdout } = await run('docker', ['stack', 'config', '--compose-file', 'examples/swarm/stack.yaml']);
    const { configs, secrets, volumes } = parse(stdout).services.shop;
    expect(configs).toEqual([{ source: 'pannier_v1', target: '/etc/pannier/pannier.yaml', mode: 0o444 }]);
    expect(secrets.map(({ mode, uid }: Record<string, unknown>) => [mode, uid])).toEqual(
      Array(2).fill([0o400, '1000']),
    );
    expect(volumes).toEqual([{ type: 'tmpfs', target: '/run/shop-secrets', tmpfs: { size: 2 ** 20 } }]);
  });

  it('the configuration reads what the stack mounts, and publishes into its tmpfs alone', () => {
    const { roleIdFile, secretIdFile } = config.backends.bao.auth;
    const mounted = shop.secrets.map(({ target }: { target: string }) => `/run/secrets/${target}`);
    expect([roleIdFile, secretIdFile]).toEqual(mounted);
    for (const { source } of shop.secrets) expect(stack.secrets).toHaveProperty(source);
    for (const { source } of shop.configs) expect(stack.configs[source].file).toBe('./pannier.yaml');
    expect(shop.read_only).toBe(true);
    expect(config.outputs.shop.dir.startsWith(`${shop.volumes[0].target}/`)).toBe(true);
    expect(shop.environment.PANNIER_SOCKET).toBe(config.admin.listen);
  });

  it('the image starts the application under pannier exec, and its check exists', async () => {
    const file = DockerfileParser.parse(read('swarm/Dockerfile'));
    const [entry, command] = ['ENTRYPOINT', 'CMD'].map((keyword) =>
      JSON.parse(
        file
          .getInstructions()
          .find((one) => one.getKeyword() === keyword)
          ?.getArgumentsContent() ?? '',
      ),
    );
    expect(entry.slice(0, 3)).toEqual(['/usr/bin/tini', '--', '/usr/bin/pannier']);
    expect(await parseCommandLine([...entry.slice(3), ...command])).toBe('exec');
    const [kind, program, ...args] = shop.healthcheck.test as string[];
    expect([kind, program, await parseCommandLine(args)]).toEqual(['CMD', '/usr/bin/pannier', 'probe']);
  });
});

describe('each of these platforms', () => {
  it.each(['compose', 'ecs', 'nomad', 'swarm', 'systemd'])(
    '%s: pannier validate accepts its configuration',
    async (name) => {
      const env = { ...process.env, CREDENTIALS_DIRECTORY: '/run/credentials/pannier.service' };
      const argv = ['dist/pannier.js', 'validate', '-c', `examples/${name}/pannier.yaml`];
      const { stdout, stderr } = await run(process.execPath, argv, { env });
      expect(stdout).toMatch(/^valid: /);
      expect(stderr).toBe('');
    },
  );
});

describe('Amazon ECS', () => {
  const task = JSON.parse(read('ecs/task-definition.json'));

  it('task-definition.json matches the model of RegisterTaskDefinition', { timeout: 120_000 }, async () => {
    expect(await awsProblems('ecs', 'RegisterTaskDefinition', task)).toEqual([]);
    expect(await awsProblems('ecs', 'RegisterTaskDefinition', { ...task, famly: 'x' })).not.toEqual([]);
  });

  it('the application waits for a check that exists', async () => {
    const [pannier, shop] = task.containerDefinitions;
    expect(await parseCommandLine(pannier.command)).toBe('run');
    const [kind, program, ...args] = pannier.healthCheck.command;
    expect([kind, program, await parseCommandLine(args)]).toEqual(['CMD', '/usr/bin/pannier', 'probe']);
    expect(shop.dependsOn).toEqual([{ containerName: pannier.name, condition: 'HEALTHY' }]);
    const [copy] = DockerfileParser.parse(read('ecs/Dockerfile')).getCOPYs();
    expect(read(`ecs/${copy?.getArguments()[0]?.getValue()}`)).toContain('aws-secrets-manager');
  });

  it('the policy for EKS names actions that exist', () => {
    const { Statement } = JSON.parse(read('eks-irsa/policy.json'));
    const known = readFileSync('docs/aws.md', 'utf8');
    for (const action of Statement.flatMap(({ Action }: { Action: string | string[] }) => Action)) {
      expect(known).toContain(`\`${action}\``);
    }
  });
});

describe('systemd', () => {
  it('systemd accepts the units', async (context) => {
    context.skip(!(await isHere('systemd-analyze', '--version')), 'systemd-analyze is not installed');
    const dir = await mkdtemp(join(tmpdir(), 'pannier-units-'));
    try {
      for (const name of ['pannier.service', 'shop.service']) {
        // The programs of the units are not installed here, and the check looks for them.
        await writeFile(join(dir, name), read(`systemd/${name}`).replace(/^(ExecStart=)\S+/m, '$1/bin/true'));
      }
      const { stdout, stderr } = await run('systemd-analyze', [
        'verify',
        join(dir, 'pannier.service'),
        join(dir, 'shop.service'),
      ]);
      expect((stdout + stderr).split('\n').filter((line) => line.includes(dir))).toEqual([]);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('the agent is started with a command that exists, as the configuration needs it', async () => {
    const [, , ...args] = /^ExecStart=(\S+) (.*)$/m.exec(read('systemd/pannier.service')) ?? [];
    expect(await parseCommandLine((args[0] ?? '').split(' '))).toBe('run');
    for (const [, name] of read('systemd/pannier.yaml').matchAll(/CREDENTIALS_DIRECTORY\}\/(\S+)/g)) {
      expect(read('systemd/pannier.service')).toContain(`LoadCredential=${name}:`);
    }
    const [, published] = /^LoadCredential=db\.json:\/run\/pannier\/(.*)$/m.exec(read('systemd/shop.service')) ?? [];
    expect(published).toBe('shop/db.json');
  });
});

describe('nginx', () => {
  it('nginx.conf reads what pannier.yaml publishes', () => {
    const { dir, files } = parse(read('nginx/pannier.yaml')).outputs.nginx;
    const used = [...read('nginx/nginx.conf').matchAll(/ (\/run\/\S+);/g)].map(([, path]) => path);
    expect(new Set(used)).toEqual(new Set(Object.keys(files).map((name) => `${dir}/${name}`)));
  });
});
