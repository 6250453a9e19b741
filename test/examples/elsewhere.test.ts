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
import { awsProblems, composeProblems } from './schemas.ts';

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
      expect(await composeProblems(file)).toEqual([]);
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
