import { expect, it } from 'vitest';
import { parsePlain } from '../../src/render/template/parse-plain.ts';

type Node = Readonly<Record<string, unknown>>;

/** The tree of the parser of Handlebars, without what Pannier does not read. */
async function parsedByHandlebars(source: string): Promise<unknown> {
  const { default: base } = await import('handlebars/dist/cjs/handlebars/compiler/base.js');
  const tree = base.parse(source) as { readonly body: readonly Node[] };
  return { body: tree.body.map(read) };
}

function read({ type, value, path, params, hash, loc }: Node): unknown {
  if (type === 'ContentStatement') return { type, value };
  const { data, depth, parts, original, loc: pathLoc } = path as Node;
  expect(hash).toBeUndefined();
  const location = ({ start, end }: Node) => ({ start, end });
  return {
    type,
    path: { type: 'PathExpression', data, depth, parts, original, loc: location(pathLoc as Node) },
    params,
    loc: location(loc as Node),
  };
}

const PLAIN = [
  '',
  'text alone, with { and } and }} in it',
  '{{app}}',
  '{{app.user}}',
  'user={{app.user}}\npassword={{ db.pass-word }}\n',
  '  {{ a.b.c }}  {{a.b}}{{c}}\r\n\r{{d}}\n{{e}} end',
  'first\r\nsecond {{\tapp.user\t}}\rthird {{x}}',
  '{{_a._b}}\n\n\n{{a1-b.c_d}}',
  'ünïcödé → {{app.user}} 🔑 {{app.user}}',
  '{ {{app}} }',
  'a\\b {{app.user}}',
];

it.each(PLAIN)('gives for the plain template %j the tree that the parser of Handlebars gives', async (source) => {
  expect(parsePlain(source)).toEqual(await parsedByHandlebars(source));
});

it.each([
  '{{{app.user}}}',
  '{{&app.user}}',
  '\\{{app.user}}',
  '\\\\{{app.user}}',
  '{{upper app.user}}',
  '{{#if app}}x{{/if}}',
  '{{else}}',
  '{{^}}',
  '{{! comment }}',
  '{{!-- comment --}}',
  '{{> partial}}',
  '{{~app.user}}',
  '{{app.user~}}',
  '{{app.[x y]}}',
  '{{app/user}}',
  '{{../app}}',
  '{{./app}}',
  '{{this}}',
  '{{this.app}}',
  '{{app.this}}',
  '{{true}}',
  '{{null}}',
  '{{undefined}}',
  '{{12}}',
  '{{app.0}}',
  '{{"text"}}',
  '{{@index}}',
  '{{app.user}}}',
  '{{app.user',
  '{{}}',
  '{{ .Data.x }}',
  '{{app .user}}',
  '{{{{raw}}}}x{{{{/raw}}}}',
  'fine {{app}} and {{#each app}}',
])('leaves %j to the parser of Handlebars', (source) => {
  expect(parsePlain(source)).toBeUndefined();
});

it('agrees with the parser of Handlebars on made-up mixtures of pieces', async () => {
  const pieces = [
    '{{',
    '}}',
    'app',
    '.',
    'user',
    ' ',
    '\n',
    '\r\n',
    'x-1',
    '{',
    '}',
    '\\',
    '\t',
    '-',
    '_',
    'é',
    'else',
  ];
  let state = 7;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  let plain = 0;
  for (let round = 0; round < 20_000; round++) {
    const source = Array.from({ length: 3 + Math.floor(random() * 12) }, () => {
      return pieces[Math.floor(random() * pieces.length)] as string;
    }).join('');
    const tree = parsePlain(source);
    if (tree === undefined || !source.includes('{{')) continue;
    plain++;
    expect(tree, JSON.stringify(source)).toEqual(await parsedByHandlebars(source));
  }
  expect(plain).toBeGreaterThan(50);
});
