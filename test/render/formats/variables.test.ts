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
        'PATH of app, LD_PRELOAD of app would say which programs or libraries the child loads; ' +
        'app.half holds half a surrogate pair, which UTF-8 cannot carry',
    });
    expect(why.hint).toContain('rename: { "a-b": a_b, "c.d": c_d }, set keys: identifier for all, or names: any.');
    expect(JSON.stringify(why)).not.toContain('evil');
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
