import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { FormatName, FormatOptions } from '../../../src/config/config.ts';
import { failureOf, fieldsOf, format, textOf } from '../render.helpers.ts';

const secrets = {
  app: '{"name":"shop","pass-word":"p","conn":{"host":"h"}}',
  db: '{"user":"u","name":"d"}',
  opt: 'optional and absent' as const,
};

const of = (name: FormatName, options: FormatOptions, ...from: readonly string[]) => ({
  ...format(name, ...from),
  options,
});

describe('rename, case and prefix', () => {
  const written: readonly (readonly [options: FormatOptions, from: readonly string[], text: string])[] = [
    [{ prefix: 'SHOP_' }, ['db'], "SHOP_user='u'\nSHOP_name='d'\n"],
    [{ case: 'upper' }, ['db'], "USER='u'\nNAME='d'\n"],
    [{ case: 'lower', prefix: 'DB_', rename: [['user', 'LOGIN']] }, ['db'], "DB_login='u'\nDB_name='d'\n"],
    [{ rename: [['pass-word', 'PASSWORD']] }, ['app.pass-word', 'db.user'], "PASSWORD='p'\nuser='u'\n"],
    [{ rename: [['db.name', 'db_name']] }, ['app.name', 'db'], "name='shop'\nuser='u'\ndb_name='d'\n"],
    [
      {
        rename: [
          ['name', 'a'],
          ['db.name', 'b'],
        ],
      },
      ['app.name', 'db.name'],
      "a='shop'\nb='d'\n",
    ],
  ];
  it.each(written)('%j of %j', async (options, from, text) => {
    expect(await textOf(of('dotenv', options, ...from), secrets)).toBe(text);
  });

  it('make the keys of properties and of flat json and yaml too', async () => {
    const options: FormatOptions = { rename: [['user', 'login.name']], prefix: 'db.', flat: true };
    expect(await textOf(of('properties', options, 'db.user'), secrets)).toBe('db.login.name=u\n');
    expect(await textOf(of('json', options, 'db.user'), secrets)).toBe('{\n  "db.login.name": "u"\n}\n');
    expect(await textOf(of('yaml', options, 'db.user'), secrets)).toBe('db.login.name: "u"\n');
  });

  it('apply before a name is checked against the format, and before names are compared', async () => {
    const upper = await failureOf(of('dotenv', { case: 'upper' }, 's'), {
      s: fieldsOf({ a: Secret.text('1'), A: Secret.text('2') }),
    });
    expect(upper).toMatchObject({ code: 'RENDER_SAME_KEY', seen: 's.a and s.A both give A' });
    const renamed = await failureOf(of('dotenv', { rename: [['user', 'name']] }, 'db'), secrets);
    expect(renamed).toMatchObject({ code: 'RENDER_SAME_KEY', seen: 'db.user and db.name both give name' });
    const number = { s: fieldsOf({ '1st': Secret.text('x') }) };
    expect(await textOf(of('dotenv', { prefix: 'N' }, 's'), number)).toBe("N1st='x'\n");
  });

  it('that give several keys twice name all of them in one message', async () => {
    const twice = await failureOf(format('dotenv', 'x', 'y', 'z'), {
      x: '{"a":"1","b":"1"}',
      y: '{"a":"2","b":"2"}',
      z: '{"b":"3"}',
    });
    expect(twice).toMatchObject({
      code: 'RENDER_SAME_KEY',
      seen: 'x.a and y.a both give a; x.b, y.b and z.b all give b',
    });
  });

  it('that leave a name invalid fail with the field, the name and a rename to write', async () => {
    const why = await failureOf(of('dotenv', { prefix: 'SHOP_', case: 'upper' }, 'app'), secrets);
    expect(why).toMatchObject({
      code: 'RENDER_KEY',
      seen: 'the field pass-word of app (gives SHOP_PASS-WORD) is not a valid variable name',
    });
    expect(why.hint).toContain('rename: { "pass-word": pass_word }');
  });

  it('fail when they name a field that no source has, unless a secret is absent', async () => {
    const options: FormatOptions = {
      rename: [
        ['usr', 'x'],
        ['db.nmae', 'y'],
        ['user', 'z'],
      ],
    };
    expect(await failureOf(of('dotenv', options, 'db'), secrets)).toMatchObject({
      code: 'RENDER_MISSING_FIELD',
      seen: 'rename names usr, db.nmae, which no source has',
    });
    expect(await textOf(of('dotenv', options, 'db.user', 'opt'), secrets)).toBe("z='u'\n");
  });
});

describe('keys: identifier', () => {
  it('makes each character that no identifier has a _, and puts one before a digit', async () => {
    const names = ['pass-word', 'a.b/c', '1st', 'é', '😀x', 'OK_1', 'a b'];
    const s = fieldsOf(Object.fromEntries(names.map((name, i) => [name, Secret.text(`${i}`)])));
    expect(await textOf(of('dotenv', { keys: 'identifier' }, 's'), { s })).toBe(
      "pass_word='0'\na_b_c='1'\n_1st='2'\n_='3'\n_x='4'\nOK_1='5'\na_b='6'\n",
    );
  });

  it('works on the key after rename, case and prefix', async () => {
    const s = fieldsOf({ '1st-name': Secret.text('x'), 'b-c': Secret.text('y') });
    const options: FormatOptions = { keys: 'identifier', case: 'upper', prefix: 'P_', rename: [['b-c', 'D']] };
    expect(await textOf(of('dotenv', options, 's'), { s })).toBe("P_1ST_NAME='x'\nP_D='y'\n");
    expect(await textOf(of('properties', { keys: 'identifier' }, 's'), { s })).toBe('_1st_name=x\nb_c=y\n');
  });

  it('names both fields that become one key', async () => {
    const s = fieldsOf({ 'a-b': Secret.text('1'), a_b: Secret.text('2'), 'a.b': Secret.text('3') });
    expect(await failureOf(of('dotenv', { keys: 'identifier' }, 's.a-b', 's.a_b'), { s })).toMatchObject({
      code: 'RENDER_SAME_KEY',
      seen: 's.a-b and s.a_b both give a_b',
    });
    expect((await failureOf(of('dotenv', { keys: 'identifier' }, 's'), { s })).seen).toBe(
      's.a-b, s.a_b and s.a.b all give a_b',
    );
  });
});

describe('flat', () => {
  it('makes one map of the fields of all sources', async () => {
    const yaml = 'name: "shop"\npass-word: "p"\nconn:\n  host: "h"\nuser: "u"\n';
    expect(await textOf(of('yaml', { flat: true }, 'app', 'db.user', 'opt'), secrets)).toBe(yaml);
    expect(JSON.parse(await textOf(of('json', { flat: true }, 'app.conn', 'app.name'), secrets))).toEqual({
      host: 'h',
      name: 'shop',
    });
    expect(await textOf(of('json', { flat: true }, 'opt'), secrets)).toBe('{}\n');
  });

  it('refuses one key from two sources', async () => {
    expect(await failureOf(of('json', { flat: true }, 'app', 'db'), secrets)).toMatchObject({
      code: 'RENDER_SAME_KEY',
      seen: 'app.name and db.name both give name',
    });
  });

  it('that is false changes nothing', async () => {
    expect(await textOf(of('yaml', { flat: false }, 'db.user', 'app.name'), secrets)).toBe(
      await textOf(format('yaml', 'db.user', 'app.name'), secrets),
    );
  });
});
