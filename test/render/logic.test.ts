import { describe, expect, it } from 'vitest';
import { codesOf, failureOf, textOf } from './render.helpers.ts';

const SA = JSON.stringify({ client_email: 'x@y', key: 'k', n: 1, list: [{ id: 'a' }, { id: 'b' }] });
const app =
  '{"n":8080,"big":9007199254740993,"s":"8080","price":1.10,"on":true,"nil":null,"e":"","hosts":["a","b"],"map":{"x":1},' +
  `"bad":"{hunter2","long":12345678901234567890,"sa":${JSON.stringify(SA)}}`;
const secrets = { app, opt: 'optional and absent' as const };

describe('comparisons', () => {
  it.each<[call: string, gives: boolean]>([
    ['eq app.n 8080', true],
    ['eq app.s 8080', true],
    ['eq app.n "8080"', true],
    ['eq app.price 1.1', true],
    ['eq app.price "1.1"', false],
    ['eq app.big 9007199254740992', false],
    ['eq app.on true', true],
    ['eq app.on "false"', false],
    ['eq app.nil null', true],
    ['eq app.nil ""', false],
    ['eq app.e ""', true],
    ['ne app.s "8081"', true],
    ['ne app.n 8080', false],
    ['lt app.n 8081', true],
    ['lt app.s 9', false],
    ['gt app.big 9007199254740992', true],
    ['gt app.price 1.09', true],
    ['gt 2 10', false],
    ['and app.n app.on', true],
    ['and app.n app.none app.on', false],
    ['and app.n app.nil', false],
    ['or app.none opt app.n', true],
    ['or app.none opt.x app.e', false],
    ['not app.none', true],
    ['not opt', true],
    ['not (eq app.n 8080)', false],
    ['and (gt app.n 1024) (not (eq app.s "x"))', true],
  ])('(%s) is %s', async (call, gives) => {
    expect(await textOf(`{{#if (${call})}}true{{else}}false{{/if}}`, secrets)).toBe(`${gives}`);
    expect(await textOf(`{{${call}}}`, secrets)).toBe(`${gives}`);
  });

  it.each([
    ['{{lt app.e 1}}', 'lt takes two numbers; it was given app.e'],
    ['{{gt app.sa 1}}', 'gt takes two numbers; it was given app.sa'],
    ['{{eq app.hosts "a"}}', 'eq takes text, not a list; it was given app.hosts'],
    ['{{eq app.map app.map}}', 'eq takes text, not a map; it was given app.map'],
    ['{{lt app.nil 1}}', 'lt takes text, not null; it was given app.nil'],
  ])('%s cannot be told', async (template, seen) => {
    expect(await failureOf(template, secrets)).toMatchObject({ code: 'RENDER_BAD_ARGUMENT', seen });
  });

  it('need their arguments, which and, or and not alone may miss', async () => {
    expect(await codesOf('{{eq app}}')).toEqual(['TEMPLATE_BAD_ARGUMENT 1:1']);
    expect(await codesOf('{{and}}')).toEqual(['TEMPLATE_BAD_ARGUMENT 1:1']);
    expect(await codesOf('{{not app.a app.b}}')).toEqual(['TEMPLATE_BAD_ARGUMENT 1:1']);
    expect(await failureOf('{{#if (eq app.none "x")}}{{/if}}', secrets)).toMatchObject({
      code: 'RENDER_MISSING_FIELD',
    });
  });
});

describe('parseJson', () => {
  it('gives with, each, lookup and other helpers what a field holds as JSON', async () => {
    expect(await textOf('{{#with (parseJson app.sa)}}{{client_email}} {{n}}{{/with}}', secrets)).toBe('x@y 1');
    expect(await textOf('{{#each (lookup (parseJson app.sa) "list")}}{{id}}{{/each}}', secrets)).toBe('ab');
    expect(await textOf('{{lookup (parseJson app.sa) "key"}} {{lookup app.hosts 1}}', secrets)).toBe('k b');
    expect(await textOf('{{json (parseJson "[1.10, 12345678901234567890]")}}', secrets)).toBe(
      '[1.10,12345678901234567890]',
    );
  });

  it('of a text that is no JSON fails without showing it', async () => {
    const why = await failureOf('{{json (parseJson app.bad)}}', secrets);
    expect(why).toMatchObject({
      code: 'RENDER_BAD_ARGUMENT',
      seen: 'parseJson takes JSON, and this is none: expected a name at offset 1; it was given app.bad',
    });
    expect(JSON.stringify(why)).not.toContain('hunter2');
    expect(await failureOf('{{json (parseJson app.hosts)}}', secrets)).toMatchObject({ code: 'RENDER_BAD_ARGUMENT' });
  });

  it('names no fields of what it parsed when one is missing, since they are a part of the value', async () => {
    const why = await failureOf('{{#with (parseJson app.sa)}}{{client_emial}}{{/with}}', secrets);
    expect(why.seen).toBe('client_emial is missing: the item has no such field');
    expect(JSON.stringify(why)).not.toContain('client_email');
  });
});

describe('parseYaml', () => {
  it('gives what a field holds as YAML, with the spelling of numbers', async () => {
    const y = { y: JSON.stringify({ doc: 'a: 1.10\nb:\n  - x\n  - no\npin: 012\n' }) };
    expect(await textOf('{{#with (parseYaml y.doc)}}{{a}} {{#each b}}{{this}} {{/each}}{{pin}}{{/with}}', y)).toBe(
      '1.10 x no 012',
    );
    expect(await textOf('{{json (parseYaml y.doc)}}', y)).toBe('{"a":1.10,"b":["x","no"],"pin":"012"}');
  });

  it.each(['a: [hunter2', 'a: !evil hunter2', 'a: *hunter2', ''])('of %j fails without showing it', async (doc) => {
    const why = await failureOf('{{json (parseYaml y.doc)}}', { y: JSON.stringify({ doc }) });
    expect(why).toMatchObject({ code: 'RENDER_BAD_ARGUMENT' });
    expect(why.seen).toMatch(/^parseYaml takes YAML, and this is (none: |empty).*; it was given y\.doc$/);
    expect(JSON.stringify(why)).not.toContain('hunter2');
  });
});

describe('a missing field', () => {
  it('comes with the nearest one, and the names of all that there are', async () => {
    const db = { db: '{"username":"hunter2","password":"hunter2","odd \\n name":1}' };
    for (const what of ['{{db.pasword}}', '{{#with db}}{{pasword}}{{/with}}', '{{upper db.pasword}}']) {
      const why = await failureOf(what, db);
      expect(why.seen).toContain('; did you mean "password"?');
      expect(why.hint).toBe('Its fields are username, password, "odd \\n name".');
      expect(JSON.stringify(why)).not.toContain('hunter2');
    }
  });

  it('lists thirty names at most', async () => {
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`field${i}`, 1])));
    expect((await failureOf('{{db.x}}', { db: many })).hint).toMatch(/field29, and 3 more\.$/);
  });

  it('of a text that is one JSON object says so', async () => {
    const db = { db: JSON.stringify({ value: '{"a":"hunter2"}' }) };
    const { seen } = await failureOf('{{db.a}}', db);
    expect(seen).toBe('db.a is missing: db has no such field; its only field is value, whose text is a JSON object');
  });
});
