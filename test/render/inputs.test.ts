import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import type { FileContent, InputConfig, InputSource } from '../../src/config/config.ts';
import { createRenderer } from '../../src/render/renderer.ts';
import { failureOf, type Given, outputOf, problemsOf, snapshotOf, textOf } from './render.helpers.ts';

const app = '{"user":"ann","pass":"pw","port":5432}';
const db = '{"host":"pg","user":"bob"}';
const secret = (...from: readonly string[]): InputSource => ({ kind: 'secret', from });
const value = (text: string): InputSource => ({ kind: 'value', value: Secret.text(text) });
const inline = (text: string, inputs: Readonly<Record<string, InputConfig>>): FileContent => ({
  kind: 'content',
  text,
  inputs: new Map(Object.entries(inputs)),
});

describe('names of a template’s own', () => {
  it('stand for a secret, a field or a value', async () => {
    const what = inline('{{a.user}} {{b}} {{c}} {{#with a}}{{port}} {{@root.c}}{{/with}}', {
      a: { is: secret('app'), fields: [] },
      b: { is: secret('app', 'pass'), fields: [] },
      c: { is: value('x'), fields: [] },
    });
    expect(await textOf(what, { app })).toBe('ann pw x 5432 x');
  });

  it('hide a secret of the same name, and may add fields to it', async () => {
    const what = inline('{{db.user}} {{db.host}} {{db.port}}', {
      db: {
        is: secret('db'),
        fields: [
          ['user', secret('app', 'user')],
          ['port', value('1')],
        ],
      },
    });
    expect(await textOf(what, { app, db })).toBe('ann pg 1');
    expect(
      await textOf(inline('{{db.user}} {{app.user}}', { db: { is: secret('app'), fields: [] } }), { app, db }),
    ).toBe('ann ann');
  });

  it('are a map of their fields when only fields are given', async () => {
    const what = inline('{{json x}}', {
      x: {
        fields: [
          ['a', value('1')],
          ['b', secret('app', 'pass')],
        ],
      },
    });
    expect(await textOf(what, { app })).toBe('{"a":"1","b":"pw"}');
  });

  it('are absent when their optional secret is absent, and so is a single field', async () => {
    const text = '{{#if x}}there{{else}}absent{{/if}} {{default y.b "none"}} {{y.a}}';
    const what = inline(text, {
      x: { is: secret('opt'), fields: [['a', value('1')]] },
      y: {
        fields: [
          ['a', value('1')],
          ['b', secret('opt', 'b')],
        ],
      },
    });
    expect(await textOf(what, { app, opt: 'optional and absent' })).toBe('absent none 1');
  });

  it('make the output need their secrets, and not the secret that they hide', async () => {
    const what = inline('{{db.user}}', { db: { is: secret('app'), fields: [['x', secret('other', 'x')]] } });
    const known = { secrets: new Set(['app', 'db', 'other']), backends: new Map() };
    expect([...(await createRenderer(outputOf({ f: what }), known)).wants]).toEqual(['app', 'other']);
  });

  it('are masked in a masked file', async () => {
    const what = inline('{{a.pass}} {{b}}', {
      a: { is: secret('app'), fields: [] },
      b: { is: secret('app', 'pass'), fields: [] },
    });
    const renderer = await createRenderer(outputOf({ f: what }), { secrets: new Set(['app']), backends: new Map() });
    const rendered = await renderer.render(snapshotOf({ app }), { masked: true });
    expect(rendered.kind === 'files' && Buffer.from(rendered.files.get('f') as Uint8Array).toString()).toBe(
      '[secret] [secret]',
    );
  });

  const faults: readonly (readonly [text: string, input: InputConfig, seen: string, code: string])[] = [
    ['{{x.a}}', { is: secret('app'), fields: [] }, 'x.a is missing: x has no such field', 'RENDER_MISSING_FIELD'],
    [
      '{{x}}',
      { is: secret('app', 'no'), fields: [] },
      'app.no is missing: app has no such field',
      'RENDER_MISSING_FIELD',
    ],
    [
      '{{x.a}}',
      { is: secret('app', 'pass'), fields: [['a', value('1')]] },
      'x is a string, so x.a cannot be put into it',
      'RENDER_BAD_ARGUMENT',
    ],
  ];
  it.each(faults)('%s fails without a value in the message', async (text, x, seen, code) => {
    const secrets: Readonly<Record<string, Given>> = { app };
    expect(await failureOf(inline(text, { x }), secrets)).toMatchObject({ code, seen });
  });

  it('that the template does not use are a problem, and so are names that nothing gives', async () => {
    const what = inline('{{app.user}} {{yy.a}}', { x: { is: secret('app'), fields: [] } });
    expect((await problemsOf(what, ['app'])).map(({ code }) => code)).toEqual(['TEMPLATE_UNKNOWN_NAME']);
    expect(await problemsOf(inline('{{app.user}}', { x: { is: secret('app'), fields: [] } }), ['app'])).toMatchObject([
      { code: 'CONFIG_INVALID', seen: 'with or values gives "x", which the template does not use' },
    ]);
  });
});
