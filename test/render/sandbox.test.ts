import { describe, expect, it } from 'vitest';
import { within } from '../../src/base/within.ts';
import { failureOf, problemsOf, textOf } from './render.helpers.ts';

const CANARY = 'canary-in-a-box';

describe('a template', () => {
  it.each([
    '{{app.constructor}}',
    '{{app.__proto__}}',
    '{{app.toString}}',
    '{{app.password.length}}',
    '{{app.password.constructor.constructor}}',
    '{{lookup app "__proto__"}}',
    '{{lookup app "constructor"}}',
    '{{lookup (lookup app "constructor") "prototype"}}',
    '{{#with app}}{{constructor}}{{/with}}',
    '{{#each app}}{{this.__proto__}}{{/each}}',
    '{{json app.__proto__}}',
    '{{#with (parseJson app.object)}}{{polluted}}{{/with}}',
  ])('%s reaches no property of a JavaScript object', async (template) => {
    const secrets = {
      app: JSON.stringify({ password: CANARY, object: '{"__proto__":{"polluted":1},"constructor":2}' }),
    };
    const seen = await failureOf(template, secrets).catch((error: Error) => error.message);
    const told = JSON.stringify(seen);
    expect(told).toMatch(/RENDER_|TEMPLATE_|expected a failure/);
    expect(told).not.toMatch(/native code|function|\[object/);
    expect(told).not.toContain(CANARY);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('has a field of a name like __proto__ only when the backend has it', async () => {
    const app = '{"__proto__":"own","constructor":"mine"}';
    expect(await textOf('{{app.[__proto__]}} {{app.constructor}}', { app })).toBe('own mine');
  });

  it.each([
    ['matches', '{{#if (matches app.x "^(a+)+$")}}x{{/if}}'],
    ['replacePattern', '{{replacePattern app.x "(a|aa)+$" "b"}}'],
    ['match', '{{match app.x "(a*)*b"}}'],
  ])('whose pattern takes years for a value ends by itself: %s', async (name, template) => {
    const app = JSON.stringify({ x: `${'a'.repeat(60)}!` });
    expect(await failureOf(template, { app })).toMatchObject({
      code: 'RENDER_BAD_ARGUMENT',
      seen: expect.stringContaining(`${name} got a text for which its pattern takes too long`),
    });
  });

  it('has patterns that take long texts, and gives what they find', async () => {
    const app = JSON.stringify({ x: `${'ab'.repeat(50_000)}c` });
    expect(await textOf('{{#if (matches app.x "^(ab)+c$")}}yes{{/if}}', { app })).toBe('yes');
    expect(await textOf('{{replacePattern app.x "(ab)+(c+)" "$2"}}', { app })).toBe('c');
  });

  it('that would write without an end is RENDER_TOO_LARGE', async () => {
    const list = JSON.stringify({ list: Array.from({ length: 1_000 }, () => 'x'.repeat(1_000)) });
    const template = '{{#each app.list}}{{#each @root.app.list}}{{this}}{{/each}}{{/each}}';
    expect(await failureOf(template, { app: list })).toMatchObject({
      code: 'RENDER_TOO_LARGE',
      place: expect.stringMatching(/content:1:\d+$/),
    });
  });

  it('that would loop without an end, and write nothing, is RENDER_TOO_LARGE', async () => {
    const list = JSON.stringify({ list: Array.from({ length: 1_000 }, () => 1) });
    const each = '{{#each @root.app.list}}';
    const template = `${each.repeat(4)}{{#if @root.app.list}}{{/if}}${'{{/each}}'.repeat(4)}`;
    expect(await failureOf(template, { app: list })).toMatchObject({ code: 'RENDER_TOO_LARGE' });
  });

  it('whose texts double and double is refused before the memory is full', async () => {
    const double = '{{#with (concat this this)}}';
    const template = `{{#with app.x}}${double.repeat(60)}{{this}}${'{{/with}}'.repeat(61)}`;
    const failed = await failureOf(template, { app: '{"x":"0123456789"}' });
    expect(failed).toMatchObject({ code: 'RENDER_BAD_ARGUMENT' });
    expect(failed.seen).toContain('takes no text of more than 64 MiB');
  });

  it('nested 101 deep is refused when it is read', async () => {
    const template = `${'{{#if app.x}}'.repeat(101)}${'{{/if}}'.repeat(101)}`;
    expect(await problemsOf(template, ['app'])).toMatchObject([{ code: 'TEMPLATE_SYNTAX' }]);
  });
});

describe('a function with a limit of time', () => {
  it('gives its value, throws its error, or is stopped', () => {
    expect(within(10_000, () => 7)).toEqual({ value: 7 });
    expect(() =>
      within(10_000, () => {
        throw new TypeError('own');
      }),
    ).toThrow(new TypeError('own'));
    expect(within(20, () => /^(?:(a+)+)$/u.test(`${'a'.repeat(60)}!`))).toBeUndefined();
    expect(within(10_000, () => 8)).toEqual({ value: 8 });
  });
});
