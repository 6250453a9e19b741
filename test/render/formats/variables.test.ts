import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { FormatOptions } from '../../../src/config/config.ts';
import { createRenderer } from '../../../src/render/renderer.ts';
import { fieldsOf, format, type Given, outputOf, snapshotOf } from '../render.helpers.ts';

const app = '{"name":"shop","pass-word":"p","port":8080,"hosts":["a","b"],"motd":null,"spring.url":"jdbc:x"}';
const secrets = { app, db: '{"user":"u","name":"d"}', opt: 'optional and absent' as const };

async function rendererOf(from: readonly string[], options: FormatOptions, env: Readonly<Record<string, string>>) {
  const variables = { place: 'exec.from', from: format('dotenv', ...from).from, options };
  const known = { secrets: new Set(Object.keys(secrets)), backends: new Map() };
  return createRenderer({ ...outputOf(env), variables }, known);
}

/** The variables as texts, or the failure. */
async function variablesOf(
  from: readonly string[],
  options: FormatOptions = {},
  env: Readonly<Record<string, string>> = {},
  given: Readonly<Record<string, Given>> = secrets,
): Promise<Readonly<Record<string, string>> | Failure> {
  const renderer = await rendererOf(from, options, env);
  const rendered = await renderer.render(snapshotOf(given));
  if (rendered.kind === 'failed') return rendered.why;
  if (rendered.kind !== 'files') throw new Error('waits');
  return Object.fromEntries([...rendered.files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]));
}

describe('variables of whole secrets', () => {
  it('are the fields, each with the text that dotenv gives it', async () => {
    expect(await variablesOf(['app.name', 'app.port', 'app.hosts', 'app.motd', 'db.user', 'opt'])).toEqual({
      name: 'shop',
      port: '8080',
      hosts: '["a","b"]',
      motd: '',
      user: 'u',
    });
  });

  it('take the options of dotenv', async () => {
    const options: FormatOptions = {
      rename: [['pass-word', 'PIN']],
      case: 'upper',
      prefix: 'SHOP_',
      keys: 'identifier',
    };
    expect(await variablesOf(['app'], options)).toEqual({
      SHOP_NAME: 'shop',
      SHOP_PIN: 'p',
      SHOP_PORT: '8080',
      SHOP_HOSTS: '["a","b"]',
      SHOP_MOTD: '',
      SHOP_SPRING_URL: 'jdbc:x',
    });
  });

  it('may have names with dots and dashes when that is asked for', async () => {
    expect(await variablesOf(['app'], { names: 'any' })).toMatchObject({ 'pass-word': 'p', 'spring.url': 'jdbc:x' });
    for (const name of ['', 'a=b', 'a b', 'a\nb', 'a/b', '..', '.a', '\u0000', '\u0085', '\ud800']) {
      const given = { ...secrets, db: fieldsOf({ [name]: Secret.text('x') }) };
      expect(await variablesOf(['db'], { names: 'any' }, {}, given)).toMatchObject({ code: 'RENDER_KEY' });
    }
  });

  it('give way to a variable of exec.env, whatever they are', async () => {
    const env = { name: '{{db.user}}!', PATH: '/bin' };
    const given = { ...secrets, db: '{"user":"u","name":"d","PATH":"/evil"}' };
    expect(await variablesOf(['app.name', 'db'], {}, env, given)).toEqual({ name: 'u!', PATH: '/bin', user: 'u' });
  });

  it('that are refused are all named in one failure, with what corrects them', async () => {
    const given = {
      app: fieldsOf({
        'a-b': Secret.text('1'),
        'c.d': Secret.text('2'),
        name: Secret.text('3'),
        PATH: Secret.text('/evil'),
        LD_PRELOAD: Secret.text('evil.so'),
        half: Secret.text('\ud800'),
      }),
      db: '{"name":"d"}',
    };
    const why = (await variablesOf(['app', 'db'], {}, {}, given)) as Failure;
    expect(why).toMatchObject({
      code: 'RENDER_SAME_KEY',
      place: 'exec.from',
      seen:
        'app.name and db.name both give name; ' +
        'the fields a-b of app, c.d of app are not valid variable names; ' +
        'PATH of app, LD_PRELOAD of app would say what the child loads or runs; ' +
        'app.half holds half a surrogate pair, which UTF-8 cannot carry',
    });
    expect(why.hint).toContain('rename: { "a-b": a_b, "c.d": c_d }, set keys: identifier for all, or names: any.');
    expect(JSON.stringify(why)).not.toContain('evil');
  });

  it('that would run commands in a shell of the child are refused, also with names: any', async () => {
    const shells = ['BASH_FUNC_ls%%', 'BASH_FUNC_ls()', 'BASH_ENV', 'PS4', 'SHELLOPTS', 'BASHOPTS'];
    for (const name of [...shells, 'PATH', 'LD_AUDIT', 'DYLD_INSERT_LIBRARIES', 'GCONV_PATH']) {
      const given = { app: fieldsOf({ [name]: Secret.text('() { echo EVIL; }') }) };
      const why = await variablesOf(['app'], { names: 'any' }, {}, given);
      expect(why).toMatchObject({ code: 'RENDER_KEY', seen: expect.stringContaining(' would say what the child ') });
      expect(await variablesOf(['app'], { names: 'any', prefix: 'APP_' }, {}, given)).toHaveProperty(`APP_${name}`);
    }
    const plain = { app: fieldsOf({ ENV: Secret.text('production'), BASH: Secret.text('x') }) };
    expect(await variablesOf(['app'], { names: 'any' }, {}, plain)).toEqual({ ENV: 'production', BASH: 'x' });
  });

  const hintOf = async (fields: readonly string[], options: FormatOptions = {}) => {
    const app = fieldsOf(Object.fromEntries(fields.map((field) => [field, Secret.text('x')])));
    const why = (await variablesOf(['app'], options, {}, { app })) as Failure;
    const renames = /rename: \{ (.*) \}/.exec(why.hint ?? '')?.[1] ?? '';
    const rename = renames.split(', ').map((one) => /^(".*"): (\w+)$/.exec(one)?.slice(1) ?? []);
    const pasted: FormatOptions = {
      ...options,
      rename: rename.map(([from, to]) => [JSON.parse(from as string) as string, to as string] as const),
    };
    return { seen: why.seen, hint: why.hint, pasted: await variablesOf(['app'], pasted, {}, { app }) };
  };

  it.each([
    [['a-b', 'a.b'], {}, ['a_b', 'a_b_2'], 'names: any'],
    [['api-key', 'api_key'], {}, ['api_key_2', 'api_key'], 'names: any'],
    [['a-b', 'A_B', 'a_b_2'], { case: 'upper' }, ['A_B_3', 'A_B', 'A_B_2'], 'names: any'],
    [['a b', 'x=y', ''], {}, ['a_b', 'x_y', 'empty'], 'set keys: identifier for all'],
    [['a b', 'a_b'], {}, ['a_b_2', 'a_b'], undefined],
    [['a b', 'c-d'], { names: 'any' }, ['a_b', 'c-d'], 'set keys: identifier for all'],
  ] as const)('%j with %j are corrected by the rename of the hint, and by what else it offers', async (...row) => {
    const [fields, options, names, alternative] = row;
    const { hint, pasted } = await hintOf(fields, options);
    expect(Object.keys(pasted).sort()).toEqual([...names].sort());
    expect(hint).toMatch(alternative === undefined ? / \}\.$/ : new RegExp(` \\}, or ${alternative}\\.$`));
  });

  it('are renamed by their secret where two secrets have one field', async () => {
    const given = { app: '{"x-y":"1"}', db: '{"x-y":"2"}' };
    const why = (await variablesOf(['app', 'db'], {}, {}, given)) as Failure;
    expect(why.hint).toContain('rename: { "app.x-y": x_y, "db.x-y": x_y_2 }');
  });

  it('with an empty name or blanks in it are shown in quotes', async () => {
    const { seen } = await hintOf(['', 'a b', 'c-d']);
    expect(seen).toBe('the fields "" of app, "a b" of app, c-d of app are not valid variable names');
  });

  it('of which many are wrong are ten in the message, and how many more', async () => {
    const { seen, hint } = await hintOf(Array.from({ length: 60 }, (_, index) => `k-${index}`));
    expect(seen).toMatch(/, k-9 of app, and 50 more are not valid variable names$/);
    expect(hint).toMatch(/"k-9": k_9 \} and so on, set keys: identifier for all, or names: any\.$/);
  });

  it('of secrets that are not configured are found before any value is known', async () => {
    await expect(rendererOf(['nope'], {}, {})).rejects.toMatchObject({
      failures: [{ code: 'CONFIG_UNKNOWN_SECRET', place: 'exec.from' }],
    });
  });

  it('are masked as files are, and make the output want their secrets', async () => {
    const renderer = await rendererOf(['db', 'app.port'], {}, { A: 'x{{app.name}}' });
    expect([...renderer.wants].sort()).toEqual(['app', 'db']);
    const rendered = await renderer.render(snapshotOf(secrets), { masked: true });
    if (rendered.kind !== 'files') throw new Error('not rendered');
    expect([...rendered.files].map(([name, bytes]) => `${name}=${Buffer.from(bytes)}`)).toEqual([
      'A=x[secret]',
      'user=[secret]',
      'name=[secret]',
      'port=[secret]',
    ]);
  });
});
