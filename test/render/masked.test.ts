import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import type { FileContent } from '../../src/config/config.ts';
import { createRenderer } from '../../src/render/renderer.ts';
import { fieldsOf, format, type Given, outputOf, snapshotOf } from './render.helpers.ts';

const app = JSON.stringify({ user: 'a', port: 5432, on: false, none: null, list: ['x', 'y'], map: { k: 'v' } });

async function masked(what: string | FileContent, more: Readonly<Record<string, Given>> = {}): Promise<string> {
  const secrets = { app, ...more };
  const known = { secrets: new Set(Object.keys(secrets)), backends: new Map() };
  const rendered = await (await createRenderer(outputOf({ f: what }), known)).render(snapshotOf(secrets), {
    masked: true,
  });
  if (rendered.kind !== 'files') throw new Error(JSON.stringify(rendered));
  return Buffer.from(rendered.files.get('f') as Uint8Array).toString();
}

describe('a masked file', () => {
  it.each([
    ['a plain path', 'u={{app.user}}\n', 'u=[secret]\n'],
    [
      'blocks, as the values have it',
      '{{#if app.on}}on{{else}}off{{/if}} {{#unless app.none}}{{app.port}}{{/unless}}',
      'off [secret]',
    ],
    [
      'loops, with positions',
      '{{#each app.list}}{{@index}}:{{this}}{{#unless @last}},{{/unless}}{{/each}}',
      '0:[secret],1:[secret]',
    ],
    ['names of fields', '{{#each app.map}}{{@key}}={{this}}{{/each}}', 'k=[secret]'],
    [
      'names of fields as a parameter',
      '{{#with app}}{{#each map as |v k|}}{{k}}={{v}}{{/each}}{{/with}}',
      'k=[secret]',
    ],
    ['calls', '{{upper app.user}} {{default app.gone "plain"}} {{json app}}', '[secret] [secret] [secret]'],
  ])('has %s', async (_, template, expected) => {
    expect(await masked(template)).toBe(expected);
  });

  it('has every leaf of a format masked', async () => {
    expect(JSON.parse(await masked(format('json', 'app')))).toEqual({
      user: '[secret]',
      port: '[secret]',
      on: '[secret]',
      none: '[secret]',
      list: ['[secret]', '[secret]'],
      map: { k: '[secret]' },
    });
    expect(await masked(format('dotenv', 'app.user', 'app.list'))).toBe(
      `user='[secret]'\nlist='["[secret]","[secret]"]'\n`,
    );
  });

  it('shows no byte of a binary value', async () => {
    const bin = fieldsOf({ key: Secret.bytes(Buffer.from([0xff, 1])), text: Secret.text('/wE=') });
    expect(await masked(format('raw', 'bin.key'), { bin })).toBe('[secret]');
    expect(await masked('{{base64decode bin.text}}', { bin })).toBe('[secret]');
  });

  it('fails where the real file fails', async () => {
    await expect(masked('{{app.gone}}')).rejects.toThrow('RENDER_MISSING_FIELD');
    await expect(masked('{{app.map}}')).rejects.toThrow('RENDER_NOT_TEXT');
  });
});
