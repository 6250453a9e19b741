import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { loadConfig } from '../../src/config/load.ts';
import { BAO, briefly, loadWith, makeFolder, problemsOf } from './config.helpers.ts';

const backendOf = async (backend: object, env = {}, files: Record<string, string> = {}) => {
  const cwd = makeFolder({
    ...files,
    'a.json': JSON.stringify({ version: 1, backends: { bao: { ...BAO, ...backend } } }),
  });
  const config = await loadConfig({ kinds: BACKEND_KINDS, paths: ['a.json'], env, cwd });
  return { backend: config.backends.get('bao'), warnings: config.warnings };
};

describe('references', () => {
  it.each<[string, string, string]>([
    ['a variable', '${env:ROLE}', 'shop'],
    ['a part of a value', 'the-${env:ROLE}-${env:ROLE}', 'the-shop-shop'],
    ['a file, without one newline', '${file:role}', 'from-file\n'],
    ['a literal', '$${env:ROLE}', '${env:ROLE}'],
    ['a dollar alone', 'a$b$', 'a$b$'],
    ['what comes in is not searched again', '${env:TWICE}', '${env:ROLE}'],
    ['patterns of replacement mean nothing', '${env:DOLLARS}', '$& $1 $$'],
  ])('%s', async (_, role, wanted) => {
    const env = { ROLE: 'shop', TWICE: '${env:ROLE}', DOLLARS: '$& $1 $$' };
    const { backend } = await backendOf({ auth: { method: 'kubernetes', role } }, env, { role: 'from-file\n\n' });
    expect(backend).toMatchObject({ auth: { role: wanted } });
  });

  it('become a boolean or a number where one is expected, and stay text elsewhere', async () => {
    const env = { YES: 'true', ID: '2000', VERSION: '2' };
    const config = await loadWith(
      {
        backends: { bao: { ...BAO, tls: { skipVerify: '${env:YES}' }, auth: { ...BAO.auth, role: '${env:ID}' } } },
        secrets: { a: { kv: 'secret/${env:ID}', kvVersion: '${env:VERSION}', optional: '${env:YES}' } },
        outputs: { o: { dir: 'o', gid: '${env:ID}', files: { f: { content: 'x', uid: '${env:ID}' } } } },
      },
      env,
    );
    expect(config.backends.get('bao')).toMatchObject({ tls: { skipVerify: true }, auth: { role: '2000' } });
    expect(config.secrets.get('a')).toMatchObject({ optional: true, request: { path: 'secret/2000', kvVersion: 2 } });
    expect(config.outputs.get('o')).toMatchObject({ gid: 2000 });
    expect(config.outputs.get('o')?.files.get('f')).toMatchObject({ uid: 2000 });
  });

  it('quoted booleans and numbers stay text', async () => {
    expect(await briefly(loadWith({ secrets: { a: { kv: 'x', optional: 'true' } } }))).toEqual([
      'CONFIG_INVALID secrets.a.optional',
    ]);
  });

  it('are not filled in inline templates and in keys', async () => {
    const content = '${env:ROLE} $${x} ${';
    const config = await loadWith({ outputs: { o: { dir: 'o', files: { '${env:X}': { content } } } } });
    expect(config.outputs.get('o')?.files.get('${env:X}')?.content).toEqual({ kind: 'content', text: content });
  });

  it.each<[string, string]>([
    ['${env:UNSET}', 'the variable UNSET is not set'],
    ['${env:}', 'neither env nor file'],
    ['${file:missing}', 'no such file'],
    ['${file:.}', 'it is a directory'],
    ['${HOME}', 'neither env nor file'],
    ['${env:ROLE', 'no closing brace'],
    ['${env:__proto__}', 'is not set'],
  ])('%s cannot be filled, which is the only problem of that value', async (role, seen) => {
    const problems = await problemsOf(
      loadWith({ backends: { bao: { ...BAO, address: role, auth: { ...BAO.auth, role } } } }),
    );
    expect(problems.map(({ code, place }) => `${code} ${place}`)).toEqual([
      'CONFIG_REFERENCE backends.bao.address',
      'CONFIG_REFERENCE backends.bao.auth.role',
    ]);
    expect(problems[0]?.seen).toContain(seen);
    if (seen === 'no closing brace') expect(problems[0]?.hint).toMatch(/^Write \$\{env:NAME\} or /);
  });

  it('the value that a reference gave is never shown', async () => {
    const given = {
      secrets: { a: { kv: 'x', refresh: '${env:S}', optional: '${env:S}' } },
      outputs: { o: { dir: 'o', mode: '${env:S}', uid: '${env:S}', files: {}, reload: '${env:S}' } },
      log: { level: '${env:S}' },
    };
    const problems = await problemsOf(loadWith(given, { S: '31337' }));
    expect(problems.length).toBeGreaterThan(4);
    expect(JSON.stringify(problems)).not.toContain('31337');
  });
});

describe('a reference', () => {
  it.each(['/dev/zero', '/dev/full', '.', '/proc/self/mem'])('to a device is given up', async (path) => {
    const [problem, ...more] = await problemsOf(backendOf({ namespace: `\${file:${path}}` }));
    expect(problem).toMatchObject({ code: 'CONFIG_REFERENCE', place: 'backends.bao.namespace' });
    expect(more).toEqual([]);
  });
});

describe('secrets written literally', () => {
  it('are a warning that does not show them', async () => {
    const { warnings } = await backendOf({ auth: { method: 'token', token: 's3cr3t' } });
    expect(warnings).toMatchObject([{ code: 'CONFIG_LITERAL_SECRET', place: 'backends.bao.auth.token' }]);
    expect(JSON.stringify(warnings)).not.toContain('s3cr3t');
  });

  it.each([['${env:T}'], ['${file:t}']])('do not include the value of %s', async (token) => {
    const { warnings, backend } = await backendOf({ auth: { method: 'token', token } }, { T: 'x' }, { t: 'x\n' });
    expect(warnings).toEqual([]);
    expect(backend).toMatchObject({ auth: { method: 'token' } });
  });

  it('are looked for in the parameters of a write', async () => {
    const data = { username: 'x', password: 's3cr3t', token: '${env:T}', ttl: '1h' };
    const config = await loadWith({ secrets: { a: { write: { path: 'x', data } } } }, { T: 'x' });
    expect(config.warnings.map(({ place }) => place)).toEqual(['secrets.a.write.data.password']);
  });
});
