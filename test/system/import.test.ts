import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ensureOpenBao, ensureOpenBaoFolder } from '../servers/cache.ts';
import { enableAppRole } from '../servers/index.ts';
import { type AgentOptions, type Place, runAgent } from './agent.helpers.ts';
import { useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();
const CANARY = 'c4n4ry-import';

beforeAll(() => world().putSecret('app', { user: 'shop', password: CANARY, n: 7 }));

const importFiles = (args: readonly string[], options?: AgentOptions) => runAgent(['import', ...args], options);

function put({ dir }: Place, name: string, text: string | Buffer): string {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The configuration of an agent with the login of the world, and these templates. */
function agentFile(place: Place, templates: string): string {
  const { bao, tokenFile } = world();
  return put(
    place,
    'agent.hcl',
    `vault { address = "${bao.address}" }
auto_auth {
  method "kubernetes" { config = { role = "shop" token_path = "${tokenFile}" } }
}
${templates}`,
  );
}

const template = (place: Place, text: string, name = 'app.env'): string =>
  `template {\n  contents = <<EOT\n${text}\nEOT\n  destination = "${place.dir}/out/${name}"\n}\n`;

const APP =
  '{{ with secret "secret/data/shop/app" }}USER={{ .Data.data.user }}\nPASSWORD={{ .Data.data.password }}{{ end }}';

describe('pannier import', () => {
  it('makes a configuration that init publishes the same file from', async () => {
    const place = await scene.place();
    const file = agentFile(place, template(place, APP));
    const imported = await importFiles(['--out', join(place.dir, 'conv'), file]);
    const config = join(place.dir, 'conv', 'pannier.yaml');
    const told = `wrote ${config} with 1 template; next: pannier validate -c ${config}\n`;
    expect([imported.status, imported.output()]).toEqual([0, told]);
    expect((await runAgent(['validate', config])).stdout()).toBe('valid: 1 secret, 1 output\n');
    expect((await scene.init(config)).status).toBe(0);
    expect(readFileSync(join(place.dir, 'out', 'app.env'), 'utf8')).toBe(`USER=shop\nPASSWORD=${CANARY}\n`);
  });

  it('writes certificates as pkiCert does, each with a line end, and the files of writeToFile beside them', async () => {
    const place = await scene.place();
    const pki = '{{ with pkiCert "pki/issue/shop" "common_name=shop.svc" "ttl=1h" }}{{ .Cert }}{{ .CA }}{{ .Key }}';
    const extra = `{{ .Key | writeToFile "${place.dir}/out/key.pem" "" "" "0600" }}{{ end }}`;
    const imported = await importFiles([
      '--out',
      join(place.dir, 'conv'),
      agentFile(place, template(place, pki + extra)),
    ]);
    expect([imported.status, imported.stderr()]).toEqual([0, '']);
    expect((await scene.init(join(place.dir, 'conv', 'pannier.yaml'))).status).toBe(0);
    const [all, key] = ['app.env', 'key.pem'].map((name) => readFileSync(join(place.dir, 'out', name), 'utf8'));
    const block = '-----BEGIN [A-Z ]+-----\\n(?:[\\w+/=]+\\n)+-----END [A-Z ]+-----\\n';
    expect(all).toMatch(new RegExp(`^(?:${block}){3}\\n$`));
    expect(all?.endsWith(`${key}\n`)).toBe(true);
  });

  it('writes the token of the agent into the file of a sink, when that was asked for', async () => {
    const place = await scene.place();
    const { bao, tokenFile } = world();
    const file = put(
      place,
      'agent.hcl',
      `vault { address = "${bao.address}" }
auto_auth {
  method "kubernetes" { config = { role = "shop" token_path = "${tokenFile}" } }
  sink "file" { config = { path = "${place.dir}/out/token" mode = 0600 } }
}
`,
    );
    expect((await importFiles([file])).stderr()).toContain('a sink would write the token of the agent');
    expect((await importFiles(['--sink', '--out', join(place.dir, 'conv'), file])).status).toBe(0);
    const agent = scene.run(join(place.dir, 'conv', 'pannier.yaml'));
    await agent.waitFor('output-published');
    const token = readFileSync(join(place.dir, 'out', 'token'), 'utf8');
    expect((await bao.api('GET', 'secret/data/shop/app', undefined, token)).data).toMatchObject({
      data: { user: 'shop' },
    });
    expect(agent.output()).not.toContain(token);
  });

  it('writes the configuration to standard output, and what was not converted to standard error with status 1', async () => {
    const place = await scene.place();
    const file = agentFile(
      place,
      `${template(place, `${APP}{{ key "x" }}`)}listener "tcp" { address = "0.0.0.0:1" }\n`,
    );
    const imported = await importFiles([file]);
    expect(imported.status).toBe(1);
    expect(imported.stderr().trim().split('\n')).toEqual([
      `${file}:8:47: key: a function of Consul or Nomad. Pannier reads secrets only: keep consul-template for this file.`,
      `${file}:12:18: the listener is open to other machines. The proxy listens on a socket and on loopback only.`,
    ]);
    expect(parse(imported.stdout())).toMatchObject({ version: 1, outputs: { out: { files: { 'app.env': {} } } } });
  });

  it('reads standard input', async () => {
    const child = await new Promise<string>((done, failed) => {
      const run = execFile(process.execPath, [resolve('dist/pannier.js'), 'import', '-'], (error, stdout) =>
        error === null ? done(stdout) : failed(error),
      );
      run.stdin?.end('template { contents = "x" destination = "/run/a/b" }');
    });
    expect(parse(child)).toMatchObject({ outputs: { a: { dir: '/run/a' } } });
  });

  it('reads the templates that a configuration names, from the folder that it is in too', async () => {
    const place = await scene.place();
    put(
      place,
      'templates/a.ctmpl',
      '{{ with secret "secret/data/shop/app" }}{{ .Data.data.user }}{{ end }}{{ key "x" }}',
    );
    const file = put(place, 'agent.hcl', 'template { source = "templates/a.ctmpl" destination = "/run/a/b" }');
    const imported = await importFiles([file]);
    expect(imported.stdout()).toContain('{{app.user}}');
    expect(imported.stderr()).toContain('templates/a.ctmpl:1:74: key');
  });

  it.each([
    ['a syntax error', 'vault {\n  address = \n}', ':3:1: a value is expected, not }'],
    ['UTF-16', Buffer.from('\ufeffvault {}', 'utf16le'), ':1:1: the file is UTF-16: save it as UTF-8'],
    ['a file that is none', undefined, ':1:1: there is no such file'],
    ['a file without anything', '# nothing\n', ':1:1: there is no key and no block in it'],
    ['a manifest', 'apiVersion: v1\nkind: Pod\n', ':1:11: ":" cannot stand here. It looks like a manifest'],
  ])('answers 2 for %s, and writes nothing', async (_what, text, said) => {
    const place = await scene.place();
    const file = text === undefined ? join(place.dir, 'none.hcl') : put(place, 'agent.hcl', text);
    const imported = await importFiles(['--out', join(place.dir, 'conv'), file]);
    expect([imported.status, imported.stdout()]).toEqual([2, '']);
    expect(imported.stderr()).toContain(file + said);
    expect(existsSync(join(place.dir, 'conv'))).toBe(false);
  });

  it('reads a folder, whose later files win, and says where relative paths begin', async () => {
    const place = await scene.place();
    put(place, 'conf/1.hcl', 'vault { address = "http://one" }\ntemplate { contents = "x" destination = "rel/a" }\n');
    put(place, 'conf/2.json', '{"vault": {"address": "http://two"}}');
    put(place, 'conf/notes.txt', 'not read');
    const imported = await importFiles([join(place.dir, 'conf')]);
    expect([imported.status, imported.stderr()]).toEqual([0, '']);
    expect(imported.stdout()).toContain('rel/a: relative paths begin at this file');
    expect(parse(imported.stdout())).toMatchObject({ backends: { vault: { address: 'http://two' } } });
    expect((await importFiles([place.dir])).status).toBe(2);
  });

  it('replaces no file, and says what to do without a file', async () => {
    const place = await scene.place();
    const file = put(place, 'agent.hcl', 'template { contents = "x" destination = "/run/a/b" }');
    put(place, 'conv/pannier.yaml', 'mine');
    const imported = await importFiles(['--out', join(place.dir, 'conv'), file]);
    expect([imported.status, imported.stderr()]).toEqual([2, expect.stringContaining('there is such a file already')]);
    expect(readFileSync(join(place.dir, 'conv', 'pannier.yaml'), 'utf8')).toBe('mine');
    expect([(await importFiles([])).status, (await importFiles(['--annotations', file, file])).status]).toEqual([2, 2]);
  });

  it('ends with words where nothing can be written, and writes no part then', async () => {
    const place = await scene.place();
    const file = put(place, 'agent.hcl', 'template { contents = "x\\ny" destination = "/run/a/b" }');
    const out = async (dir: string) => {
      const { status, stderr } = await importFiles(['--out', dir, file]);
      return [status, stderr().split('\n')[0]];
    };
    expect(await out('/proc/pannier')).toEqual([2, expect.stringContaining('cannot be written (ENOENT)')]);
    expect(await out(file)).toEqual([2, expect.stringContaining(`${file}: a file stands there, where a directory`)]);
    expect(await out('')).toEqual([2, expect.stringContaining('--out: it is empty')]);
    put(place, 'conv/pannier.yaml', 'mine');
    expect(await out(join(place.dir, 'conv'))).toEqual([2, expect.stringContaining('there is such a file already')]);
    expect(readdirSync(join(place.dir, 'conv'))).toEqual(['pannier.yaml']);
  });

  it('makes a configuration that validate refuses while something is not converted', async () => {
    const place = await scene.place();
    const file = agentFile(place, template(place, '{{ if }'));
    const imported = await importFiles(['--out', join(place.dir, 'conv'), file]);
    expect([imported.status, imported.stdout()]).toEqual([1, expect.stringContaining('next: look at what CHANGE-ME')]);
    const config = join(place.dir, 'conv', 'pannier.yaml');
    const first = await runAgent(['validate', config]);
    expect([first.status, first.output()]).toEqual([2, expect.stringContaining('2 problems')]);
    writeFileSync(config, readFileSync(config, 'utf8').replace(/^CHANGE-ME:\n(?: {2}- .*\n)+/m, ''));
    const second = await runAgent(['validate', config]);
    expect([second.status, second.output()]).toEqual([2, expect.stringContaining('no helper named "CHANGE-ME"')]);
  });

  it('shows no text of the configuration that may be a secret', async () => {
    const place = await scene.place();
    const file = put(
      place,
      'agent.hcl',
      `vault { token = "${CANARY}" }
auto_auth { method "aws" { config = { role = "r" secret_key = "${CANARY}" session_token = "${CANARY}" } } }
shiny { password = "${CANARY}" }
template { contents = "{{ nosuch \\"${CANARY}\\" }}" destination = "/run/a/b" }
`,
    );
    const imported = await importFiles([file], { env: { DEBUG: '*', NODE_DEBUG: 'fs' } });
    expect(imported.status).toBe(1);
    expect(imported.output()).not.toContain(CANARY);
    const broken = put(place, 'broken.hcl', `vault { token = "${CANARY}" 5 `);
    expect((await importFiles([broken])).output()).not.toContain(CANARY);
  });
});

describe('pannier import --compare', () => {
  const compare = async (file: string, args: readonly string[] = []) =>
    importFiles(['--compare', '--with', await ensureOpenBao(), ...args, file]);

  it('says that all files are the same, rendered by a real agent and by Pannier', async () => {
    const place = await scene.place();
    const file = agentFile(place, template(place, APP) + template(place, 'plain', 'two'));
    const compared = await compare(file);
    expect([compared.status, compared.stdout()]).toEqual([
      0,
      `same: ${place.dir}/out/app.env\nsame: ${place.dir}/out/two\n2 files, all the same\n`,
    ]);
  });

  it('shows a difference with marks in the place of values, and the values when that is asked for', async () => {
    const place = await scene.place();
    const yaml = '{{ with secret "secret/data/shop/app" }}{{ .Data.data | toYAML }}{{ end }}';
    const file = agentFile(place, template(place, yaml));
    const masked = await compare(file);
    expect(masked.status).toBe(1);
    expect(masked.stdout()).toContain('--- ');
    expect(masked.stdout()).toContain('1 file, 1 not the same');
    expect(masked.output()).not.toContain(CANARY);
    expect((await compare(file, ['--reveal'])).stdout()).toContain(CANARY);
  });

  it('publishes nothing, runs no command, removes no credential, and leaves no file behind', async () => {
    const place = await scene.place();
    const { bao } = world();
    const role = await enableAppRole(bao, { role: 'shop', policies: ['shop'] });
    const roleFile = put(place, 'role', role.roleId);
    const secretFile = put(place, 'secret', await role.newSecretId());
    const ran = join(place.dir, 'ran');
    const file = put(
      place,
      'agent.hcl',
      `vault { address = "${bao.address}" }
pid_file = "${place.dir}/pid"
auto_auth {
  method "approle" { config = { role_id_file_path = "${roleFile}" secret_id_file_path = "${secretFile}" } }
  sink "file" { config = { path = "${place.dir}/sink" } }
}
template {
  contents = "{{ with secret \\"secret/data/shop/app\\" }}{{ .Data.data.user }}{{ end }}"
  destination = "${place.dir}/out/a"
  exec { command = ["touch", "${ran}"] }
}
template {
  contents = "{{ \\"x\\" | writeToFile \\"${place.dir}/elsewhere\\" \\"\\" \\"\\" \\"0600\\" }}"
  destination = "${place.dir}/out/b"
}
listener "unix" { address = "${place.dir}/sock" }
`,
    );
    const compared = await compare(file);
    expect(compared.stdout()).toContain(`same: ${place.dir}/out/a`);
    expect(readdirSync(place.dir).sort()).toEqual(['agent.hcl', 'role', 'secret']);
    expect(readdirSync('/dev/shm').filter((name) => name.startsWith('pannier-compare-'))).toEqual([]);
  });

  it('renders a configuration of consul-template by an agent too, under the token that is there', async () => {
    const place = await scene.place();
    const { bao } = world();
    const token = put(place, 'token', await world().login());
    const named = `vault { address = "${bao.address}" renew_token = false vault_agent_token_file = "${token}" }\n`;
    const same = `same: ${place.dir}/out/app.env\n1 file, all the same\n`;
    expect((await compare(put(place, 'ct.hcl', named + template(place, APP)))).stdout()).toBe(same);
    const bare = put(place, 'bare.hcl', `vault { address = "${bao.address}" }\n${template(place, APP)}`);
    const args = ['--compare', '--with', await ensureOpenBao(), bare];
    const none = await importFiles(args);
    expect([none.status, none.stderr()]).toEqual([2, expect.stringContaining('Set VAULT_TOKEN')]);
    const env = { VAULT_TOKEN: await world().login() };
    expect((await importFiles(args, { env })).stdout()).toBe(same);
  });

  it('names what the other program does not render, and says when there is nothing to compare', async () => {
    const place = await scene.place();
    const wrong = '{{ with secret "secret/data/shop/app" }}{{ .Data.data.user | add 1 }}{{ end }}';
    const compared = await compare(agentFile(place, template(place, wrong)));
    expect([compared.status, compared.output()]).toEqual([1, expect.stringContaining('1 file, 1 not the same')]);
    expect((await compare(agentFile(place, ''))).stdout()).toBe('nothing to compare: there is no template\n');
  });

  it('compares the variables of a child too', async () => {
    const place = await scene.place();
    const user = '{{ with secret \\"secret/data/shop/app\\" }}{{ .Data.data.user }}{{ end }}';
    const file = agentFile(place, `env_template "USER_NAME" { contents = "${user}" }\nexec { command = ["env"] }\n`);
    expect((await compare(file)).stdout()).toBe('same: exec.env.USER_NAME\n1 file, all the same\n');
  });

  it('names a relative file once, by its path in the configuration, and leaves constants out', async () => {
    const place = await scene.place();
    const relative = template(place, APP).replace(`${place.dir}/out/`, 'out/');
    const exec = 'exec {\n  command = ["env"]\n  env { custom = ["A=1"] }\n}\n';
    const compared = await compare(agentFile(place, relative + exec));
    expect(compared.stdout()).toBe('same: out/app.env\n1 file, all the same\n');
  });

  it('ends early when a secret is not there, and says which side rendered nothing and why', async () => {
    const place = await scene.place();
    const none = APP.replace('shop/app', 'shop/none');
    const compared = await compare(agentFile(place, template(place, none)), ['--timeout', '50s']);
    expect(compared.status).toBe(1);
    expect(compared.stdout()).toContain(`not compared: ${place.dir}/out/app.env (neither `);
    expect(compared.stderr()).toContain('SECRET_NOT_FOUND');
    expect(compared.stdout()).not.toContain('/dev/null');
  });

  it('marks lines that look the same and differ in a value', async () => {
    const place = await scene.place();
    const yaml = '{{ with secret "secret/data/shop/app" }}{{ .Data.data | toYAML }}{{ end }}';
    const { stdout } = await compare(agentFile(place, template(place, yaml)));
    expect(stdout()).toContain('[secret, differs]');
  });

  it('finds the other program on the PATH, and says which it looks for', async () => {
    const place = await scene.place();
    const file = agentFile(place, template(place, APP));
    const PATH = await ensureOpenBaoFolder();
    const found = await importFiles(['--compare', file], { env: { PATH, HOME: place.dir } });
    expect([found.status, found.output()]).toEqual([0, expect.stringContaining('all the same')]);
    const without = await importFiles(['--compare', file], { env: { PATH: place.dir } });
    expect([without.status, without.stderr()]).toEqual([2, expect.stringContaining('there is no bao, vault')]);
  });
});
