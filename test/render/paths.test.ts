import { describe, expect, it } from 'vitest';
import { failureOf, problemsOf, textOf } from './render.helpers.ts';

const app =
  '{"name":"shop","pass-word":"p1","my field":"p2","port":8080,"on":true,"hosts":["a","b"],"conn":{"host":"h"}}';
const db = '{"constructor":"C","__proto__":"P","toString":"T","username":"u","password":"<&\\"\'>"}';
const secrets = { app, db };

describe('a path', () => {
  const written: readonly (readonly [template: string, text: string])[] = [
    ['{{app.name}}', 'shop'],
    ['{{app.port}} {{app.on}}', '8080 true'],
    ['{{app.pass-word}}', 'p1'],
    ['{{app.[my field]}}', 'p2'],
    ['{{app.conn.host}} {{app/conn/host}}', 'h h'],
    ['{{app.hosts.[0]}}{{app.hosts.[1]}}', 'ab'],
    ['{{this.app.name}} {{./app.name}} {{@root.app.name}}', 'shop shop shop'],
    ['{{db.password}} {{{db.password}}} {{&db.password}}', '<&"\'> <&"\'> <&"\'>'],
  ];
  it.each(written)('%s is written', async (template, text) => {
    expect(await textOf(template, secrets)).toBe(text);
  });

  it('keeps the source text of numbers', async () => {
    expect(await textOf('{{n.big}} {{n.price}} {{n.e}}', { n: '{"big":9007199254740993,"price":1.10,"e":1E5}' })).toBe(
      '9007199254740993 1.10 1E5',
    );
  });

  it('reaches a field named like a property of objects only when the field is there', async () => {
    expect(await textOf('{{db.constructor}}{{db.__proto__}}{{db.toString}}', secrets)).toBe('CPT');
    for (const name of ['constructor', '__proto__', 'toString', 'size', 'get', 'hasOwnProperty', 'constructor.name']) {
      const { code, seen } = await failureOf(`{{app.${name}}}`, secrets);
      expect([code, seen]).toEqual(['RENDER_MISSING_FIELD', `app.${name} is missing: app has no such field`]);
    }
    for (const name of ['length', 'constructor', '[-1]', '[00]', '[1.0]', '[2]']) {
      expect((await failureOf(`{{app.hosts.${name}}}`, secrets)).code).toBe('RENDER_MISSING_FIELD');
    }
    for (const name of ['length', 'type', 'exposeText', '[0]']) {
      expect((await failureOf(`{{app.name.${name}}}`, secrets)).code).toBe('RENDER_MISSING_FIELD');
    }
  });
});

describe('a missing field', () => {
  it.each([
    ['plain', 'db.typo is missing: db has no such field; the stored text is no JSON object, so there is only value'],
    [
      ' {"password": "c4n4ry",}',
      'db.typo is missing: db has no such field; the stored text begins like a JSON object but is none, so it is kept as the one field value',
    ],
  ])('of a secret that is one text (%j) says so', async (text, seen) => {
    const one = { db: JSON.stringify({ value: text }) };
    expect(await failureOf('{{db.typo}}', one)).toMatchObject({ code: 'RENDER_MISSING_FIELD', seen });
  });

  const missing: readonly (readonly [template: string, at: string, seen: string])[] = [
    ['{{db.typo}}', '1:3', 'db.typo is missing: db has no such field'],
    ['a\n  {{upper db.typo}}', '2:11', 'db.typo is missing: db has no such field'],
    ['{{upper (lower db.typo)}}', '1:16', 'db.typo is missing: db has no such field'],
    ['{{json db indent=db.typo}}', '1:18', 'db.typo is missing: db has no such field'],
    ['{{#each db.missing}}x{{/each}}', '1:9', 'db.missing is missing: db has no such field'],
    ['{{#with db.missing}}x{{/with}}', '1:9', 'db.missing is missing: db has no such field'],
    ['{{#if (upper db.typo)}}x{{/if}}', '1:14', 'db.typo is missing: db has no such field'],
    ['{{default (upper db.typo) "x"}}', '1:18', 'db.typo is missing: db has no such field'],
    ['{{default db.typo db.other}}', '1:19', 'db.other is missing: db has no such field'],
    ['{{db.password.nope}}', '1:3', 'db.password.nope is missing: db.password is a string'],
    ['{{app.port.nope.deep}}', '1:3', 'app.port.nope.deep is missing: app.port is a number'],
    ['{{app.hosts.[7]}}', '1:3', 'app.hosts.[7] is missing: app.hosts has no such position'],
    ['{{app.[no field]}}', '1:3', 'app.[no field] is missing: app has no such field; did you mean "my field"?'],
    ['{{#each app.conn as |v|}}{{v.x}}{{/each}}', '1:28', 'v.x is missing: v is a string'],
    ['{{#with app.conn}}{{port}}{{/with}}', '1:21', 'port is missing: the item has no such field'],
    ['{{#with app.conn}}{{../app.x}}{{/with}}', '1:21', 'app.x is missing: app has no such field'],
    ['{{lookup db "x"}}', '1:1', 'lookup finds nothing in db'],
  ];
  it.each(missing)('%j fails, and the message names it and its position', async (template, at, seen) => {
    expect(await failureOf(template, secrets)).toEqual({
      code: 'RENDER_MISSING_FIELD',
      place: `outputs.shop.files["f"], content:${at}`,
      seen,
      hint: expect.any(String),
      retry: 'never',
    });
  });

  it('gets a hint when it is the name of a secret inside each or with', async () => {
    const { hint } = await failureOf('{{#each app.hosts}}{{db.password}}{{/each}}', secrets);
    expect(hint).toBe('Inside each and with, the secret is @root.db.');
  });

  it('is falsy in if, unless and as the first argument of default', async () => {
    expect(await textOf('{{#if db.typo}}a{{else}}b{{/if}}', secrets)).toBe('b');
    expect(await textOf('{{#if db.password.nope.deep}}a{{else}}b{{/if}}', secrets)).toBe('b');
    expect(await textOf('{{#unless db.typo}}a{{/unless}}', secrets)).toBe('a');
    expect(await textOf('{{default db.typo "d"}}', secrets)).toBe('d');
    expect(await textOf('{{default db.typo (default db.other "e")}}', secrets)).toBe('e');
    expect(await textOf('{{#if (default db.typo db.other)}}a{{else}}b{{/if}}', secrets)).toBe('b');
    expect(await textOf('{{#if (lookup db "x")}}a{{else}}b{{/if}}', secrets)).toBe('b');
  });
});

describe('an optional secret that is absent', () => {
  const absent = { app, opt: 'optional and absent' };

  it('is falsy in if, unless and default, whatever field is asked for', async () => {
    expect(await textOf('{{#if opt}}a{{else}}b{{/if}}{{#if opt.x.y}}a{{else}}b{{/if}}', absent)).toBe('bb');
    expect(await textOf('{{#unless opt.x}}a{{/unless}}{{default opt.x app.name}}', absent)).toBe('ashop');
    expect(await textOf('{{#if opt}}{{opt.x}}{{#each opt.y}}{{/each}}{{/if}}', absent)).toBe('');
  });

  it('is a missing field everywhere else', async () => {
    for (const template of [
      '{{opt.x}}',
      '{{opt}}',
      '{{json opt}}',
      '{{#each opt}}{{/each}}',
      '{{#with opt}}{{/with}}',
    ]) {
      const { code, seen } = await failureOf(template, absent);
      expect(code).toBe('RENDER_MISSING_FIELD');
      expect(seen).toContain('the optional secret opt is absent');
    }
  });
});

describe('the root', () => {
  it('has no name but those of secrets', async () => {
    expect(await problemsOf('{{dbb.x}} {{#if APP.y}}{{/if}} {{upper nothing.z}}', ['app', 'db'])).toEqual([
      expect.objectContaining({
        code: 'TEMPLATE_UNKNOWN_NAME',
        seen: 'there is no secret named "dbb"; did you mean "db"?',
      }),
      expect.objectContaining({
        code: 'TEMPLATE_UNKNOWN_NAME',
        seen: 'there is no secret named "APP"; did you mean "app"?',
      }),
      expect.objectContaining({ code: 'TEMPLATE_UNKNOWN_NAME', seen: 'there is no secret named "nothing"' }),
    ]);
  });

  it('is not available as a value', async () => {
    for (const template of [
      '{{json this}}',
      '{{json .}}',
      '{{#each @root}}{{/each}}',
      '{{lookup . "db"}}',
      '{{this}}',
    ]) {
      const [problem] = await problemsOf(template, ['db']);
      expect(problem).toMatchObject({ code: 'TEMPLATE_REFUSED', hint: 'Name the secret that is needed.' });
    }
    const [problem] = await problemsOf('{{#each db}}{{json ..}}{{/each}}', ['db']);
    expect(problem?.code).toBe('TEMPLATE_REFUSED');
  });
});
