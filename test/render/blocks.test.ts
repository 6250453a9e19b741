import { describe, expect, it } from 'vitest';
import { failureOf, textOf } from './render.helpers.ts';

const app =
  '{"hosts":["a","b","c"],"none":[],"map":{"x":1,"y":2},"empty":{},"users":[{"n":"u1","tags":["t1","t2"]},{"n":"u2","tags":[]}],' +
  '"s":"text","blank":"","zero":0,"zeroes":-0.00e5,"yes":true,"no":false,"nil":null,"small":0.01,"lower":"L"}';
const secrets = { app, db: '{"username":"u"}' };

describe('if and unless', () => {
  const truth: readonly (readonly [path: string, truthy: boolean])[] = [
    ['s', true],
    ['blank', false],
    ['zero', false],
    ['zeroes', false],
    ['small', true],
    ['yes', true],
    ['no', false],
    ['nil', false],
    ['none', false],
    ['hosts', true],
    ['map', true],
    ['empty', true],
    ['missing', false],
  ];
  it.each(truth)('app.%s decides as in Handlebars: %s', async (path, truthy) => {
    expect(await textOf(`{{#if app.${path}}}yes{{else}}no{{/if}}`, secrets)).toBe(truthy ? 'yes' : 'no');
    expect(await textOf(`{{#unless app.${path}}}no{{else}}yes{{/unless}}`, secrets)).toBe(truthy ? 'yes' : 'no');
  });

  const branches: readonly (readonly [template: string, text: string])[] = [
    ['{{#if app.no}}a{{else if app.zero}}b{{else if app.yes}}c{{else}}d{{/if}}', 'c'],
    ['{{#if app.no}}a{{else if app.zero}}b{{else}}d{{/if}}', 'd'],
    ['{{#unless app.yes}}a{{else if app.yes}}b{{/unless}}', 'b'],
    ['{{^if app.no}}a{{/if}}{{^if app.yes}}b{{/if}}', 'a'],
    ['{{#if app.no}}a{{^}}b{{/if}}', 'b'],
    ['{{#if "x"}}a{{/if}}{{#if 0}}b{{/if}}{{#if true}}c{{/if}}{{#if null}}d{{/if}}{{#if undefined}}e{{/if}}', 'ac'],
    ['{{#each app.hosts}}{{#if @last}}{{this}}{{../app.s}}{{/if}}{{/each}}', 'ctext'],
  ];
  it.each(branches)('%s', async (template, text) => {
    expect(await textOf(template, secrets)).toBe(text);
  });
});

describe('each', () => {
  const loops: readonly (readonly [template: string, text: string])[] = [
    [
      '{{#each app.hosts}}{{@index}}{{@key}}{{this}}{{.}}{{#if @first}}<{{/if}}{{#if @last}}>{{/if}} {{/each}}',
      '00aa< 11bb 22cc> ',
    ],
    ['{{#each app.map}}{{@index}}{{@key}}={{this}}{{#unless @last}},{{/unless}}{{/each}}', '0x=1,1y=2'],
    ['{{#each app.map as |value key|}}{{key}}={{value}} {{/each}}', 'x=1 y=2 '],
    ['{{#each app.hosts as |host i|}}{{i}}{{host}}{{/each}}', '0a1b2c'],
    ['{{#each app.none}}x{{else}}none{{/each}}', 'none'],
    ['{{#each app.empty}}x{{else}}none{{/each}}', 'none'],
    ['{{#each app.nil}}x{{else}}none{{/each}}', 'none'],
    [
      '{{#each app.users}}{{n}}:{{#each tags}}{{this}}@{{../n}}/{{@index}}/{{@../index}} {{else}}-{{/each}};{{/each}}',
      'u1:t1@u1/0/0 t2@u1/1/0 ;u2:-;',
    ],
    [
      '{{#each app.users as |u|}}{{#each u.tags as |t|}}{{u.n}}{{t}}{{@root.db.username}}{{../../db.username}}{{/each}}{{/each}}',
      'u1t1uuu1t2uu',
    ],
    ['{{#each app.users as |app|}}{{app.n}}{{/each}}', 'u1u2'],
    ['{{#each db}}{{@key}}={{this}}{{/each}}', 'username=u'],
    ['{{#each app.users as |lower|}}{{lower.n}}{{/each}}', 'u1u2'],
    ['{{#with app}}{{this.lower}}{{./lower}}{{/with}}', 'LL'],
  ];
  it.each(loops)('%s', async (template, text) => {
    expect(await textOf(template, secrets)).toBe(text);
  });

  it('fails over a leaf, and names it', async () => {
    expect(await failureOf('{{#each app.s}}x{{/each}}', secrets)).toMatchObject({
      code: 'RENDER_BAD_ARGUMENT',
      place: 'outputs.shop.files["f"], content:1:1',
      seen: 'app.s is a string, and #each takes a list or a map',
    });
  });
});

describe('with', () => {
  const scopes: readonly (readonly [template: string, text: string])[] = [
    ['{{#with db}}{{username}}{{this.username}}{{../app.s}}{{@root.app.s}}{{/with}}', 'uutexttext'],
    ['{{#with db as |d|}}{{d.username}}{{username}}{{/with}}', 'uu'],
    ['{{#with app.s}}{{this}}{{/with}}', 'text'],
    ['{{#with app.none}}x{{else}}empty{{/with}}{{#with app.blank}}x{{/with}}', 'empty'],
    ['{{#with app.zero}}{{this}}{{else}}empty{{/with}}{{#with app.no}}x{{else}}empty{{/with}}', '0empty'],
    ['{{#with (lookup app "map")}}{{x}}{{y}}{{/with}}', '12'],
    ['{{#each app.hosts}}{{#with ../db}}{{@index}}{{username}}{{/with}}{{/each}}', '0u1u2u'],
  ];
  it.each(scopes)('%s', async (template, text) => {
    expect(await textOf(template, secrets)).toBe(text);
  });
});

describe('text around mustaches', () => {
  const whitespace: readonly (readonly [template: string, text: string])[] = [
    ['', ''],
    ['no mustache }} \\ {', 'no mustache }} \\ {'],
    ['a\n{{#if app.yes}}\nb\n{{/if}}\nc\n', 'a\nb\nc\n'],
    ['a\r\n{{#if app.yes}}\r\nb\r\n{{/if}}\r\nc', 'a\r\nb\r\nc'],
    ['a {{~app.s~}} b', 'atextb'],
    ['a{{! note }}b{{!-- }} --}}c', 'abc'],
    ['{{#each app.hosts}}\n- {{this}}\n{{/each}}\n', '- a\n- b\n- c\n'],
    ['\\{{app.s}} \\\\{{app.s}}', '{{app.s}} \\text'],
    ['{{{{raw}}}}{{app.s}} {{#if}}{{{{/raw}}}}', '{{app.s}} {{#if}}'],
    ['é😀\u2028{{app.s}}', 'é😀\u2028text'],
    ['\ufeff{{app.s}}', '\ufefftext'],
  ];
  it.each(whitespace)('%j gives %j', async (template, text) => {
    expect(await textOf(template, secrets)).toBe(text);
  });
});
