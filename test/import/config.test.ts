import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { problemsOfResult } from '../../src/import/check-result.ts';
import { formatMs, goDuration } from '../../src/import/config/duration.ts';
import { inline, writeYaml, YamlMap } from '../../src/import/config/yaml.ts';
import { convertConfig, type Imported, type ImportOptions } from '../../src/import/convert-config.ts';
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
