import { readFileSync } from 'node:fs';
import { chmod, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { reply, startFaultServer } from '../faults/fault-server.ts';
import { runAgent } from './agent.helpers.ts';
import { misfits } from './json-schema.helpers.ts';
import { failuresOf, useScene } from './openbao.helpers.ts';

const scene = useScene();
const COMMANDS = ['validate', 'init', 'run'] as const;

/** A good configuration; `more` replaces whole sections. */
function good(more: object = {}): object {
  return {
    version: 1,
    backends: { demo: { kind: 'file', path: './secrets.json' } },
    secrets: { app: { key: 'app' } },
    outputs: { shop: { dir: './out', files: { 'app.json': { format: 'json', from: 'app' } } } },
    ...more,
  };
}

function withContent(content: string): object {
  return good({ outputs: { shop: { dir: './out', files: { 'app.conf': { content } } } } });
}

interface Bad {
  readonly title: string;
  readonly text: string;
  readonly code: string;
  readonly place: string;
  readonly says: RegExp;
}

const json = (config: object) => JSON.stringify(config);

const BAD: readonly Bad[] = [
  {
    title: 'a file that is not YAML',
    text: 'version: 1\nlog: "no end\n',
    code: 'CONFIG_MALFORMED',
    place: expect.stringMatching(/\/pannier\.yaml:3:1$/),
    says: /./,
  },
  {
    title: 'a file that holds no map',
    text: '- version\n',
    code: 'CONFIG_MALFORMED',
    place: expect.stringMatching(/\/pannier\.yaml$/),
    says: /does not hold a map.*version: 1/,
  },
  {
    title: 'an unknown section',
    text: json(good({ secretz: {} })),
    code: 'CONFIG_UNKNOWN_KEY',
    place: 'secretz',
    says: /did you mean "secrets"\?/,
  },
  {
    title: 'an unknown key of a secret',
    text: json(good({ secrets: { app: { key: 'app', refrsh: '5m' } } })),
    code: 'CONFIG_UNKNOWN_KEY',
    place: 'secrets.app.refrsh',
    says: /did you mean "refresh"\?/,
  },
  {
    title: 'a secret of an unknown backend',
    text: json(good({ secrets: { app: { backend: 'demoo', key: 'app' } } })),
    code: 'CONFIG_UNKNOWN_BACKEND',
    place: 'secrets.app.backend',
    says: /there is no backend named "demoo"; did you mean "demo"\?/,
  },
  {
    title: 'an unknown secret in a list',
    text: json(good({ outputs: { shop: { dir: './out', files: { a: { format: 'json', from: ['app', 'ap'] } } } } })),
    code: 'CONFIG_UNKNOWN_SECRET',
    place: 'outputs.shop.files.a.from[1]',
    says: /there is no secret named "ap"; did you mean "app"\?/,
  },
  {
    title: 'an unknown secret in a template',
    text: json(withContent('a\n{{ap.password}}')),
    code: 'TEMPLATE_UNKNOWN_NAME',
    place: 'outputs.shop.files["app.conf"], content:2:3',
    says: /there is no secret named "ap"; did you mean "app"\?/,
  },
  {
    title: 'an unknown helper',
    text: json(withContent('{{shout app.password}}')),
    code: 'TEMPLATE_UNKNOWN_HELPER',
    place: 'outputs.shop.files["app.conf"], content:1:1',
    says: /there is no helper named "shout"/,
  },
  {
    title: 'two outputs in one directory',
    text: json(good({ outputs: { a: { dir: './out', files: {} }, b: { dir: 'x/../out', files: {} } } })),
    code: 'CONFIG_SAME_DIR',
    place: 'outputs.b.dir',
    says: /the same directory as outputs\.a\.dir/,
  },
  {
    title: 'a backend that encrypts no keys',
    text: json(good({ state: { path: './state', transit: { backend: 'demo', key: 'k' } } })),
    code: 'CONFIG_INVALID',
    place: 'state.transit.backend',
    says: /demo is of kind file, and only vault has a transit engine/,
  },
];

describe('a configuration with something wrong ends every command with 2', () => {
  it.each(BAD)('$title', async ({ text, code, place, says }) => {
    const { dir } = await scene.place();
    const path = join(dir, 'pannier.yaml');
    await writeFile(path, text);
    const agents = await Promise.all(COMMANDS.map((command) => runAgent([command, '-c', path])));
    for (const agent of agents) {
      expect(agent.status).toBe(2);
      const [first, ...others] = failuresOf(agent);
      expect(first).toMatchObject({ code, place });
      expect(`${first?.seen} ${first?.hint}`).toMatch(says);
      expect(others).toEqual([]);
      expect([agent.stdout(), agent.lines()]).toEqual(['', []]);
    }
  });

  it('a file that does not exist or may not be read ends every command with 2', async () => {
    const place = await scene.place();
    const hidden = await place.config(good());
    await chmod(hidden, 0o600);
    await chmod(place.dir, 0o755);
    const isRoot = process.getuid?.() === 0;
    for (const command of COMMANDS) {
      const missing = await runAgent([command, '-c', join(place.dir, 'nowhere.yaml')]);
      expect([missing.status, failuresOf(missing)[0]?.code]).toEqual([2, 'CONFIG_UNREADABLE']);
      expect(failuresOf(missing)[0]?.place).toContain('nowhere.yaml');
      if (!isRoot) continue;
      const refused = await runAgent([command, '-c', hidden], { uid: 65_534, gid: 65_534 });
      expect([refused.status, failuresOf(refused)[0]?.code]).toEqual([2, 'CONFIG_UNREADABLE']);
    }
  });

  it('without any configuration the error says how to name one', async () => {
    for (const command of COMMANDS) {
      const agent = await runAgent([command]);
      expect([agent.status, failuresOf(agent)]).toEqual([
        2,
        [
          {
            code: 'CONFIG_MISSING',
            place: 'configuration',
            seen: 'no configuration file was given',
            hint: 'Give -c FILE, set PANNIER_CONFIG, or start where pannier.yaml is.',
          },
        ],
      ]);
    }
  });

  it('validate --json prints the same problems as a document', async () => {
    const path = 'test/fixtures/config/bad-everything.yaml';
    const [lines, json] = await Promise.all([runAgent(['validate', path]), runAgent(['validate', path, '--json'])]);
    const { valid, problems, warnings } = JSON.parse(json.stdout());
    expect([json.status, json.stderr(), valid, warnings]).toEqual([2, '', false, []]);
    expect(problems).toEqual(failuresOf(lines));
    const place = await scene.place();
    const config = await place.config(good({}));
    const right = await runAgent(['validate', '--json', '-c', config]);
    expect([right.status, JSON.parse(right.stdout())]).toEqual([
      0,
      { valid: true, secrets: 1, outputs: 1, warnings: [], problems: [] },
    ]);
  });

  it('more problems than a pipe holds are all told, on both streams', async () => {
    const place = await scene.place();
    const count = 3_000;
    const secrets = Object.fromEntries(Array.from({ length: count }, (_, at) => [`s${at}`, { key: 'x', refresh: 5 }]));
    const config = await place.config(good({ secrets, outputs: {} }));
    const [lines, document] = await Promise.all([
      runAgent(['validate', '-c', config]),
      runAgent(['validate', '--json', '-c', config]),
    ]);
    expect(lines.stderr()).toMatch(new RegExp(`\n${count} problems\n$`));
    expect(lines.stderr().split('\n')).toHaveLength(count + 2);
    expect(JSON.parse(document.stdout()).problems).toHaveLength(count);
  });

  it('all problems are reported at once, each on a line, and then their number', async () => {
    const path = 'test/fixtures/config/bad-everything.yaml';
    const [validate, init, run] = await Promise.all(COMMANDS.map((command) => runAgent([command, '-c', path])));
    const problems = failuresOf(validate as NonNullable<typeof validate>);
    expect(problems.length).toBeGreaterThan(20);
    expect(validate?.stderr()).toMatch(new RegExp(`\n${problems.length} problems\n$`));
    expect(new Set(problems.map(({ code }) => code))).toEqual(
      new Set(['CONFIG_INVALID', 'CONFIG_MISSING', 'CONFIG_SAME_DIR', 'CONFIG_UNKNOWN_KEY', 'CONFIG_UNKNOWN_SECRET']),
    );
    expect([validate?.status, init?.status, run?.status]).toEqual([2, 2, 2]);
    expect(init?.stderr()).toBe(validate?.stderr());
    expect(run?.stderr()).toBe(validate?.stderr());
  });
});

describe('templates', () => {
  it('a wrong file of an output hides neither the problems of its other templates nor of its directory', async () => {
    const place = await scene.place();
    const files = { f: { content: '{{shp.x}} {{log app.x}}' }, g: { format: 'json', from: 'nobody' } };
    const inner = { dir: './out/inner', files: { a: { content: 'x' } } };
    const config = await place.config(good({ outputs: { shop: { dir: './out', files }, inner } }));
    const validate = await runAgent(['validate', '-c', config]);
    expect(new Set(failuresOf(validate).map(({ code }) => code))).toEqual(
      new Set(['CONFIG_UNKNOWN_SECRET', 'CONFIG_SAME_DIR', 'TEMPLATE_UNKNOWN_NAME', 'TEMPLATE_UNKNOWN_HELPER']),
    );
  });

  it('are checked together with the rest, so that one correction does not reveal the next problem', async () => {
    const place = await scene.place();
    const secrets = { app: { key: 'app', refrsh: '5m' } };
    const files = { good: { content: '{{app.x}}' }, bad: { content: '{{ap.x}}{{#if}}' } };
    const config = await place.config(good({ secrets, outputs: { shop: { dir: './out', files } } }));
    const agent = await runAgent(['validate', '-c', config]);
    expect(failuresOf(agent).map(({ code, place: at }) => [code, at.split(',')[0]])).toEqual([
      ['CONFIG_UNKNOWN_KEY', 'secrets.app.refrsh'],
      ['TEMPLATE_SYNTAX', 'outputs.shop.files.bad'],
    ]);
  });
});

describe('a good configuration', () => {
  it('validate sends no request, writes nothing and ends with 0; PANNIER_CONFIG or no option may name the file', async () => {
    const server = scene.keep(await startFaultServer(reply(500)));
    const place = await scene.place();
    const auth = { method: 'kubernetes', role: 'shop', tokenFile: './no-such-token' };
    const config = await place.config(
      good({
        backends: { bao: { kind: 'vault', address: server.address, auth } },
        secrets: { app: { read: 'secret/app' } },
      }),
    );
    const named = await runAgent(['validate', '-c', config]);
    const found = await runAgent(['validate'], { env: { PANNIER_CONFIG: config } });
    const behind = await runAgent(['validate', config]);
    await rename(config, join(place.dir, 'pannier.yaml'));
    const here = await runAgent(['validate'], { cwd: place.dir });
    expect([behind.status, behind.output()]).toEqual([0, 'valid: 1 secret, 1 output\n']);
    expect([here.status, here.output()]).toEqual([0, 'valid: 1 secret, 1 output\n']);
    expect([named.status, named.output()]).toEqual([0, 'valid: 1 secret, 1 output\n']);
    expect([found.status, found.output()]).toEqual([0, 'valid: 1 secret, 1 output\n']);
    expect(server.connections()).toBe(0);
  });

  it('what nothing uses is a warning of validate and of each start, and ends neither', async () => {
    const place = await scene.place();
    await writeFile(join(place.dir, 'secrets.json'), '{"app":{"a":"b"}}');
    const secrets = { app: { key: 'app' }, old: { key: 'app' }, older: { key: 'app' } };
    const config = await place.config(good({ secrets }));
    const told = 'no output, no listener and no variable of exec reads the secrets old, older';
    const validate = await runAgent(['validate', config]);
    expect([validate.status, validate.stdout()]).toEqual([0, 'valid: 3 secrets, 1 output\n']);
    expect(validate.stderr()).toMatch(
      new RegExp(`^warning: \\S*/pannier\\.json:1:\\d+: secrets: ${told} \\(CONFIG_UNUSED\\)\\. Let .*\n$`),
    );
    const printed = await runAgent(['validate', '--json', config]);
    expect(JSON.parse(printed.stdout())).toMatchObject({
      valid: true,
      warnings: [{ code: 'CONFIG_UNUSED', place: 'secrets', seen: told }],
    });
    const init = await runAgent(['init', '-c', config]);
    expect(init.status).toBe(0);
    expect(init.facts('agent-warning').filter(({ code }) => code === 'CONFIG_UNUSED')).toHaveLength(1);
  });

  it('the example of the README passes validate and the JSON Schema that schema prints', async () => {
    const [, example = ''] = /```yaml\n(version: 1\n.*?)```/s.exec(readFileSync('README.md', 'utf8')) ?? [];
    const { dir } = await scene.place();
    const path = join(dir, 'pannier.yaml');
    await writeFile(path, example);
    const validate = await runAgent(['validate', '-c', path]);
    expect([validate.status, validate.stderr()]).toEqual([0, '']);

    const printed = await runAgent(['schema']);
    expect([printed.status, printed.stderr()]).toEqual([0, '']);
    const schema = JSON.parse(printed.stdout());
    expect(misfits(schema, parse(example))).toEqual([]);
    expect(misfits(schema, { ...parse(example), secretz: {} })).toEqual(['$.secretz: nothing is allowed here']);
    const twice = { ...parse(example), secrets: { app: { kv: 'secret/app', read: 'secret/app' } } };
    expect(misfits(schema, twice)).toEqual(['$.secrets.app.read: nothing is allowed here']);
  });
});

describe('the command line', () => {
  it.each([
    { title: 'no command', args: [], says: /Usage: pannier[\s\S]*init[\s\S]*run[\s\S]*validate[\s\S]*schema/ },
    { title: 'an unknown command', args: ['inti'], says: /unknown command 'inti'/ },
    { title: 'an unknown option', args: ['run', '--fast'], says: /unknown option '--fast'/ },
    { title: 'a timeout without a unit', args: ['init', '--timeout', '5'], says: /A duration such as 30s or 1m30s/ },
  ])('$title ends with 2 and the known names', async ({ args, says }) => {
    const agent = await runAgent(args);
    expect([agent.status, agent.stdout()]).toEqual([2, '']);
    expect(agent.stderr()).toMatch(says);
  });

  it('--help and --version end with 0, on standard output', async () => {
    const help = await runAgent(['--help']);
    const version = await runAgent(['--version']);
    const told = await runAgent(['version']);
    expect([told.status, told.stdout()]).toEqual([
      0,
      expect.stringMatching(/^pannier \d+\.\d+\.\d+, Node \d+[\d.]+, linux \w+\n$/),
    ]);
    expect([help.status, version.status, help.stderr(), version.stderr()]).toEqual([0, 0, '', '']);
    expect(version.stdout()).toBe(`${JSON.parse(readFileSync('package.json', 'utf8')).version}\n`);
  });
});
