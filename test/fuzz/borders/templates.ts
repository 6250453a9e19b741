import * as fc from 'fast-check';
import { Secret } from '../../../src/base/secret.ts';
import type { Fields, Value } from '../../../src/base/value.ts';
import type { FileContent } from '../../../src/config/config.ts';
import { HELPERS } from '../../../src/render/helpers/index.ts';
import { createRenderer } from '../../../src/render/renderer.ts';
import { outputOf, snapshotOf } from '../../render/render.helpers.ts';
import { type Border, CANARY } from '../border.ts';
import { nasty, value } from '../inputs.ts';

const PATHS = [
  'app',
  'app.password',
  'app.missing',
  'app.map',
  'app.map.a',
  'app.list',
  'app.list.[0]',
  'app.[__proto__]',
  'app.constructor',
  'app.password.length',
  'app.cert',
  'app.bytes',
  'app.number',
  'absent.x',
  'this',
  'this.a',
  '@index',
  '@key',
  '@root.app',
  '../app',
  'unknown.x',
];

/** A template of pieces that mostly fit together. */
function templates(helpers: readonly string[]): fc.Arbitrary<string> {
  const word = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...PATHS) },
    { weight: 1, arbitrary: fc.constantFrom('1', '-1', '999999999', '1e9', 'true', 'null', 'undefined', '"a"', "'('") },
    { weight: 1, arbitrary: nasty.map((text) => JSON.stringify(text)) },
  );
  const { piece } = fc.letrec<{ expression: string; piece: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 2 },
      word,
      fc
        .tuple(fc.constantFrom(...helpers), fc.array(tie('expression'), { maxLength: 3 }))
        .map(([name, args]) => `(${[name, ...args].join(' ')})`),
    ),
    piece: fc.oneof(
      { maxDepth: 3 },
      { weight: 2, arbitrary: nasty },
      { weight: 3, arbitrary: word.map((path) => `{{${path}}}`) },
      {
        weight: 5,
        arbitrary: fc
          .tuple(fc.constantFrom(...helpers), fc.array(tie('expression'), { maxLength: 3 }), fc.option(nasty))
          .map(
            ([name, args, hash]) =>
              `{{${[name, ...args].join(' ')}${hash === null ? '' : ` k=${JSON.stringify(hash)}`}}}`,
          ),
      },
      {
        weight: 3,
        arbitrary: fc
          .tuple(fc.constantFrom('if', 'unless', 'each', 'with'), tie('expression'), tie('piece'), tie('piece'))
          .map(([block, on, inside, other]) => `{{#${block} ${on}}}${inside}{{else}}${other}{{/${block}}}`),
      },
      { weight: 1, arbitrary: nasty.map((text) => `{{{${text}}}}`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('{{> x}}', '{{#*inline "x"}}{{/inline}}', '{{log app}}', '{{!-- x', '{{else}}'),
      },
    ),
  }));
  return fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''));
}

const FORMATS = ['dotenv', 'json', 'yaml', 'properties', 'raw'] as const;

interface Input {
  readonly template: string;
  readonly format: (typeof FORMATS)[number] | null;
  readonly fields: readonly (readonly [string, string | readonly string[]])[];
}

/** Templates of anybody, over values that a backend chose. */
export const anyTemplates: Border<Input> = {
  name: 'templates and values',
  share: 14_000,
  async open() {
    const name = fc.oneof(fc.constantFrom('password', 'map', 'list', 'cert', 'bytes', 'number', '__proto__'), nasty);
    return {
      inputs: fc.record({
        template: templates([...HELPERS.keys()]),
        format: fc.option(fc.constantFrom(...FORMATS), { freq: 4 }),
        fields: fc.array(fc.tuple(name, fc.oneof(value, fc.array(value, { maxLength: 3 }))), { maxLength: 5 }),
      }),
      async feed({ template, format, fields }) {
        const content: FileContent =
          format === null
            ? { kind: 'content', text: template }
            : ({ kind: 'format', format, from: [['app']] } as unknown as FileContent);
        const known = new Set(['app', 'absent']);
        const renderer = await createRenderer(outputOf({ f: content }), { secrets: known, backends: new Map() });
        const app: Fields = new Map(
          fields.map(([key, one]): [string, Value] => [
            key,
            typeof one === 'string' ? Secret.text(one) : one.map((item) => Secret.text(item)),
          ]),
        );
        const snapshot = snapshotOf({ app, absent: 'optional and absent' });
        const said: unknown[] = [];
        for (const masked of [false, true]) {
          const rendered = await renderer.render(snapshot, { masked });
          if (rendered.kind === 'failed') said.push(rendered.why);
          // What is masked is shown to people; names of fields are not values.
          else if (rendered.kind === 'files' && masked && !fields.some(([key]) => key.includes(CANARY))) {
            said.push(Buffer.from(rendered.files.get('f') ?? []).toString());
          }
        }
        return said;
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
