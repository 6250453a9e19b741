import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { problemsOfResult } from '../../src/import/check-result.ts';
import { formatMs, goDuration } from '../../src/import/config/duration.ts';
import { inline, writeYaml, YamlMap } from '../../src/import/config/yaml.ts';
import { convertConfig, type Imported, type ImportOptions } from '../../src/import/convert-config.ts';
import { formatProblem } from '../../src/import/problem.ts';
import { readConfigs } from '../../src/import/read-config.ts';
import { SHAPES } from './shapes.ts';

const noStdin = async () => new Uint8Array();

async function importText(hcl: string, options: Partial<ImportOptions> = {}): Promise<Imported> {
  const dir = await mkdtemp(join(tmpdir(), 'pannier-import-test-'));
  try {
    const file = join(dir, 'a.hcl');
    await writeFile(file, hcl);
    const read = await readConfigs([file], noStdin);
    if ('unreadable' in read) throw new Error(read.unreadable[0]?.seen);
    return await convertConfig(read.items, [file], {
      readSource: async () => ({ problem: 'there is no such file' }),
      sink: false,
      templatesBeside: false,
      keepsCredentials: false,
      ...options,
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

describe('configurations of other agents', () => {
  it.each(SHAPES)(
    'are converted, or the lines that cannot be are named: $name',
    async ({ hcl, not = [], has = [] }) => {
      const imported = await importText(hcl);
      const told = imported.problems.map(({ place, seen }) => [place.line, seen]);
      expect(told).toEqual(not.map(([line, seen]) => [line, expect.stringContaining(seen)]));
      expect(await problemsOfResult(imported)).toEqual([]);
      for (const part of has) expect(imported.yaml).toContain(part);
      expect(imported.yaml).not.toContain('canary');
      expect(JSON.stringify(imported.problems)).not.toContain('canary');
    },
  );

  it('loses no key without a word', async () => {
    const hcl =
      'shiny = 1\nvault {\n  shiny = 2\n  ca_path = "/x"\n}\ntemplate {\n  shiny = 3\n  contents = "x"\n  destination = "/a/b"\n}';
    const { problems } = await importText(hcl);
    expect(problems.map(({ place, seen }) => [place.line, seen])).toEqual([
      [1, 'shiny is unknown to import'],
      [3, 'vault.shiny is unknown to import'],
      [4, 'vault.ca_path is not there'],
      [7, 'template.shiny is unknown to import'],
    ]);
  });

  it.each([
    ['vault = "canary"', 1, 'vault is a text, where a block is expected'],
    ['vault { address = ["canary"] }', 1, 'vault.address is a list, where a text is expected'],
    [
      'vault { tls_skip_verify = "maybe" }',
      1,
      'vault.tls_skip_verify is another text, where true or false is expected',
    ],
    ['auto_auth = 3', 1, 'auto_auth is a number, where a block is expected'],
    ['auto_auth { }', 1, 'auto_auth has no method'],
    ['exec = 5', 1, 'exec is a number, where a block is expected'],
    ['exec {\n  command = { a = 1 }\n}', 2, 'exec.command is a block, where a list of texts is expected'],
    ['template = "canary"', 1, 'template is a text, where a block is expected'],
    ['template = [{ contents = "x" destination = "/a/b" }, "canary"]', 1, 'template is a list, where a block'],
    ['template {\n  contents = 3\n  destination = ["/a"]\n}', 3, 'template.destination is a list, where a text'],
    ['wait = ["5s"]', 1, 'wait is a list, where a text or a block is expected'],
    ['log_file = 3\nlog_level = {}', 2, 'log_level is a block, where a text is expected'],
    ['vault { default_lease_duration = "canary" }', 1, 'default_lease_duration is no duration'],
  ])('of a wrong type are named with what is expected: %s', async (hcl, line, seen) => {
    const imported = await importText(hcl);
    const told = imported.problems.map(({ place, seen: one }) => [place.line, one]);
    expect(told).toContainEqual([line, expect.stringContaining(seen)]);
    expect(JSON.stringify(imported)).not.toContain('canary');
  });

  it('are not valid while something is not converted, and each template that is not has a mark of its own', async () => {
    const hcl = `template {\n  contents = "{{ if }"\n  destination = "/run/a/b"\n}
template {\n  contents = "{{ loop 3 }}"\n  destination = "/run/a/c"\n}
template {\n  source = "none"\n  destination = "/run/a/d"\n}
env_template "X" { source = "none" }\nexec { command = ["env"] }\n`;
    const { yaml, problems } = await importText(hcl);
    const made = parse(yaml);
    expect(made['CHANGE-ME']).toEqual(problems.map(formatProblem));
    const texts = [...Object.values<{ content: string }>(made.outputs.a.files).map(({ content }) => content)];
    expect([...texts, made.exec.env.X]).toEqual(
      Array(4).fill(expect.stringMatching(/^\{\{CHANGE-ME 'not [^']+'\}\}$/)),
    );
    const asWritten = await problemsOfResult({
      ...(await importText(hcl)),
      yaml: yaml.replaceAll('CHANGE-ME', 'CHANGED'),
    });
    expect(asWritten).toHaveLength(5);
    expect(await problemsOfResult(await importText(hcl))).toEqual([]);
  });

  it('keep a variable that no shell can name, and refuse one that no environment can carry', async () => {
    const command = 'exec {\n  command = ["env"]\n  env { custom = ["A.B=1"] }\n}\n';
    const kept = await importText(`env_template "DB-BAD" { contents = "x" }\n${command}`);
    expect([kept.problems, await problemsOfResult(kept)]).toEqual([[], []]);
    expect(parse(kept.yaml).exec).toMatchObject({ env: { 'DB-BAD': 'x', 'A.B': '1' }, names: 'any' });
    expect([...kept.constants]).toEqual(['A.B']);
    const { problems } = await importText('env_template "DB=BAD" { contents = "x" }');
    expect(problems.map(({ seen }) => seen)).toEqual([expect.stringContaining('no =')]);
  });

  it('tell a mode that is none, which shows the file to nobody else, and a timeout at its own place', async () => {
    const hcl =
      'template {\n  contents = "x"\n  destination = "/a/b"\n  perms = "u+r"\n  command = "x"\n  command_timeout = "y"\n}';
    const imported = await importText(hcl);
    expect(imported.problems.map(({ place, seen, todo }) => [place.line, `${seen}. ${todo}`])).toEqual([
      [4, 'perms is no file mode: "u+r". The file has mode 0600: write mode yourself.'],
      [6, 'the timeout of a command is no duration. Write timeout: 30s.'],
    ]);
    expect(parse(imported.yaml).outputs.a.mode).toBe('0600');
  });

  it('whose result has no file yet are told of by the place that it was made of', async () => {
    const hcl = 'exec {\n  command = ["env"]\n}\n\ntemplate { contents = "x" destination = "/run/a/..b" }\n';
    const told = await problemsOfResult(await importText(hcl), false);
    expect(told).toEqual([expect.stringMatching(/a\.hcl:5(?::\d+)?: outputs\.a\.files/)]);
    expect(told.join()).not.toContain('pannier.yaml');
  });

  it('writes the token of a sink when that was asked for, with a warning', async () => {
    const hcl = `auto_auth {
  method "kubernetes" { config = { role = "shop" } }
  sink "file" { config = { path = "/run/t/token" mode = 0600 } }
  sink "file" { config = { path = "/run/u/token" uid = 1000 gid = -1 } }
}`;
    const imported = await importText(hcl, { sink: true });
    expect(imported.problems).toEqual([]);
    expect(await problemsOfResult(imported)).toEqual([]);
    expect(imported.yaml).toContain('# WARNING: the token of the agent itself.');
    expect(parse(imported.yaml)).toMatchObject({
      secrets: { agent_token: { read: 'auth/token/lookup-self', refresh: '30s' } },
      outputs: {
        t: { dir: '/run/t', mode: '0600', files: { token: { content: '{{agent_token.id}}' } } },
        u: { dir: '/run/u', mode: '0640', uid: 1000 },
      },
    });
  });

  it('makes an output of each directory, and files of those below', async () => {
    const files = ['/run/a/one', '/run/a/b/two', '/run/c/three', '/etc/four'];
    const hcl = files.map((path) => `template { contents = "x" destination = "${path}" }`).join('\n');
    const { outputs } = parse((await importText(hcl)).yaml) as {
      outputs: Record<string, { dir: string; files: object }>;
    };
    expect(Object.values(outputs).map(({ dir, files: all }) => [dir, Object.keys(all)])).toEqual([
      ['/run/a', ['one', 'b/two']],
      ['/run/c', ['three']],
      ['/etc', ['four']],
    ]);
  });

  it('puts templates of several lines into files beside the configuration', async () => {
    const hcl = `template {
  contents = <<EOT
{{ with secret "secret/data/app" }}
a={{ .Data.data.a }}
{{ end }}
EOT
  destination = "/run/s/app.env"
}`;
    const imported = await importText(hcl, { templatesBeside: true });
    expect([...imported.templates]).toEqual([['templates/app.env.hbs', '\na={{app.a}}\n\n']]);
    expect(parse(imported.yaml)).toMatchObject({
      outputs: { s: { files: { 'app.env': { template: './templates/app.env.hbs' } } } },
    });
    expect(await problemsOfResult(imported)).toEqual([]);
  });

  it('names problems of a template with the line and column of the file', async () => {
    const { problems } = await importText(
      'template {\n  destination = "/a/b"\n  contents = <<EOT\nx\n {{ key "a" }}\nEOT\n}\n',
    );
    expect(problems).toMatchObject([{ place: { line: 5, column: 5 }, seen: 'key: a function of Consul or Nomad' }]);
  });
});

describe('the YAML that is written', () => {
  it.each([
    'plain',
    '',
    'yes',
    '0400',
    '1.10',
    '~',
    'a: b',
    'a #b',
    '- x',
    ' lead',
    'tab\tin',
    'two\nlines',
    'two\nlines\n',
    'three\n\n\n',
    ' first\nindented',
    'cr\r\nlf',
    '"quoted"',
    "it's",
    '{{a.b}}',
    '\u2028',
    'é✓',
    '1m30s',
    '/a/b.c:d',
    '%x',
    '@x',
    '`x',
    '&a',
    '*a',
    '!a',
  ])('gives %j back', (text) => {
    const map = new YamlMap()
      .set('a', text)
      .set('b', inline({ c: [text], d: text }))
      .set(text, new YamlMap().set('e', 1));
    expect(parse(writeYaml(map))).toEqual({ a: text, b: { c: [text], d: text }, [text]: { e: 1 } });
  });
});

describe('durations of Go', () => {
  it.each([
    ['5m', '5m'],
    ['1h30m', '1h30m'],
    ['90s', '1m30s'],
    ['300', '5m'],
    ['1.5h', '1h30m'],
    ['250ms', '250ms'],
    ['100us', '1ms'],
    ['0', '0s'],
  ])('%s is %s', (go, ours) => {
    expect(formatMs(goDuration(go) ?? -1)).toBe(ours);
  });

  it.each(['', 'x', '5', '5 m', '-1s'].filter((text) => text !== '5'))('%j is none', (text) => {
    expect(goDuration(text)).toBeUndefined();
  });
});
