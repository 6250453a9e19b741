import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { vendorProblems } from '../examples/schemas.ts';
import { hasGo, lintWorkflows } from '../servers/index.ts';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly uses?: string;
  readonly 'timeout-minutes'?: number;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = '.github/workflows';
const names = readdirSync(FOLDER);
const textOf = (name: string) => readFileSync(`${FOLDER}/${name}`, 'utf8');
const workflows = names.map((name) => [name, parse(textOf(name)) as Workflow] as const);
const jobsOf = ({ jobs }: Workflow) => Object.entries(jobs);
const release = parse(textOf('release.yaml')) as Workflow;
const canBuild = await hasGo();

describe('the workflows', () => {
  it.each(workflows)('%s is what the schema of GitHub allows', { timeout: 120_000 }, async (_, workflow) => {
    expect(await vendorProblems('github-workflows', workflow)).toEqual([]);
    expect(await vendorProblems('github-workflows', { ...workflow, jbos: {} })).not.toEqual([]);
  });

  it('actionlint finds nothing in them', { timeout: 300_000 }, async (context) => {
    context.skip(!canBuild, 'needs go on the PATH to make actionlint');
    expect(await lintWorkflows(names.map((name) => `${FOLDER}/${name}`))).toBe('');
  });

  it('pin each action by the hash of a commit, one for all, with its version beside it', () => {
    const lines = names.flatMap((name) => textOf(name).match(/uses: \S+@.*/g) ?? []);
    expect(lines.length).toBeGreaterThan(8);
    for (const line of lines) expect(line).toMatch(/^uses: actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const actions = new Set(lines.map((line) => line.split('@')[0]));
    expect(new Set(lines).size).toBe(actions.size);
  });

  it('give no job more than it needs, and none a token of the repository on disk', () => {
    const WRITES: Readonly<Record<string, readonly string[]>> = {
      'release.yaml npm': ['id-token'],
      'release.yaml image': ['attestations', 'id-token', 'packages'],
      'release.yaml release': ['attestations', 'contents', 'id-token'],
    };
    for (const [name, workflow] of workflows) {
      expect(workflow.permissions, name).toEqual({});
      for (const [job, { permissions = {}, steps = [] }] of jobsOf(workflow)) {
        const writes = Object.keys(permissions).filter((what) => permissions[what] === 'write');
        expect(writes.sort(), `${name} ${job}`).toEqual(WRITES[`${name} ${job}`] ?? []);
        for (const { uses = '', with: options } of steps) {
          if (uses.startsWith('actions/checkout@')) expect(options?.['persist-credentials'], job).toBe(false);
          // A cache that another branch can fill must not reach what is published.
          if (uses.startsWith('actions/setup-node@')) expect(options?.['package-manager-cache'], job).toBe(false);
        }
      }
    }
    expect(names.map(textOf).join('')).not.toMatch(/secrets\.|pull_request_target/);
  });

  it('put no text that somebody else chooses into a script, and let no job run without an end', () => {
    for (const [, job] of workflows.flatMap(([, workflow]) => jobsOf(workflow))) {
      for (const { run = '' } of job.steps ?? []) expect(run).not.toContain('${{');
      expect(job.uses !== undefined || job['timeout-minutes'] !== undefined).toBe(true);
    }
  });

  it('run .ci/run, and scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    const runs = workflows.flatMap(([, workflow]) => jobsOf(workflow)).flatMap(([, { steps = [] }]) => steps);
    const all = runs.map(({ run = '' }) => run).join('\n');
    expect(all).toContain('.ci/run');
    for (const [, script] of all.matchAll(/npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty([script ?? '']);
  });

  it('publish only what passed the tests, in an environment that can ask for an approval', () => {
    const { test, build, npm, image, release: last } = release.jobs as Record<string, Job & { needs?: unknown }>;
    expect(test?.uses).toBe('./.github/workflows/ci.yaml');
    expect([build, npm, image, last].map((job) => job?.needs)).toEqual(['test', 'build', 'build', ['npm', 'image']]);
    for (const job of [npm, image, last]) expect(job).toHaveProperty('environment', 'release');
  });

  it('the Node that publishes is the one that the repository names', () => {
    const node = readFileSync('.nvmrc', 'utf8').trim();
    expect(textOf('release.yaml')).toContain(`node-version: ${node}\n`);
  });
});

describe('docs/releasing.md', () => {
  const page = readFileSync('docs/releasing.md', 'utf8');

  it('names each job of the release, with what it may write', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| (.*) \| ?(.*) ?\|$/gm)].map(([, job, , may = '']) => [
      job,
      [...may.matchAll(/`([\w-]+)`/g)].map(([, what]) => what).sort(),
    ]);
    const jobs = jobsOf(release).map(([job, { permissions = {} }]) => [
      job,
      Object.keys(permissions)
        .filter((what) => permissions[what] === 'write')
        .sort(),
    ]);
    expect(rows).toEqual(jobs);
  });

  it('names each option of the script, and the environment', () => {
    const script = readFileSync('scripts/release.ts', 'utf8');
    const [, options = ''] = /options: \{(.*)\},\n/.exec(script) ?? [];
    const names = [...options.matchAll(/(\w+): \{/g)].map(([, name]) => `--${name}`);
    expect(names).toEqual(['--tag', '--uncommitted']);
    for (const name of names) expect(page).toContain(`\`${name}`);
    expect(page).toContain('an environment `release`');
  });
});

describe('dependabot.yml', () => {
  it('is what its schema allows, and covers packages, actions and images', { timeout: 120_000 }, async () => {
    const file = parse(readFileSync('.github/dependabot.yml', 'utf8'));
    expect(await vendorProblems('dependabot', file)).toEqual([]);
    const kinds = file.updates.map((one: Record<string, string>) => one['package-ecosystem']);
    expect(kinds).toEqual(['npm', 'github-actions', 'docker']);
  });
});
