import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ProblemsError } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import type { FormatName, FormatOptions } from '../../src/config/config.ts';
import { HELPERS } from '../../src/render/helpers/index.ts';
import { createRenderer } from '../../src/render/renderer.ts';
import { QUOTINGS } from '../../src/render/text/quoting.ts';
import { fieldsOf, format, outputOf, snapshotOf } from './render.helpers.ts';

const CANARY = 'cAnArY-7f3a';
const pemOf = (text: string) => `-----BEGIN CERTIFICATE-----\n${btoa(text)}\n-----END CERTIFICATE-----`;
const BYTES = Buffer.from([0xff, ...Buffer.from(CANARY)]);

/** A secret whose every value holds the canary, in each type and shape. Its field names do not hold it. */
const secrets = {
  db: fieldsOf({
    text: Secret.text(CANARY),
    quoted: Secret.text(`${CANARY}'"$\\`),
    half: Secret.text(`${CANARY}\ud800`),
    number: Secret.number(`7${CANARY}`),
    bytes: Secret.bytes(BYTES),
    nil: Secret.null(),
    pem: Secret.text(pemOf(CANARY)),
    chain: [Secret.text(pemOf(`a${CANARY}`)), Secret.text(pemOf(`b${CANARY}`))],
    control: Secret.text(`\0\r\u0001${CANARY}\n`),
    yes: Secret.boolean(true),
    list: [Secret.text(CANARY), [Secret.text(CANARY)], fieldsOf({ x: Secret.text(CANARY) })],
    map: fieldsOf({ a: Secret.text(CANARY), b: fieldsOf({ c: Secret.text(CANARY) }) }),
  }),
  opt: 'optional and absent',
} as const;

const paths = [
  'db',
  'opt',
  'opt.x',
  'db.typo',
  'this',
  '@root',
  '@index',
  '..',
  '@root.db.text',
  '"lit"',
  '7',
  'null',
  'undefined',
  'nope',
].concat([...secrets.db.keys()].flatMap((name) => [`db.${name}`, `db.${name}.deeper`, `db.${name}.[0]`]));

/** Templates that use one path, valid and invalid ones. */
const frames: readonly ((path: string) => string)[] = [
  (p) => `{{${p}}}`,
  (p) => `{{{${p}}}}`,
  (p) => `{{#if ${p}}}{{${p}}}{{else}}{{db.typo}}{{/if}}`,
  (p) => `{{#each ${p}}}{{this}}{{@key}}{{x.y}}{{/each}}`,
  (p) => `{{#each ${p} as |v k|}}{{k.z}}{{upper v}}{{/each}}`,
  (p) => `{{#with ${p}}}{{x}}{{this.y}}{{/with}}`,
  (p) => `{{lookup ${p} ${p}}}`,
  (p) => `{{lookup db ${p}}}`,
  (p) => `{{join ${p} ${p}}}`,
  (p) => `{{indent ${p} ${p}}}`,
  (p) => `{{json ${p} indent=${p}}}`,
  (p) => `{{replace ${p} ${p} ${p}}}`,
  (p) => `{{#each (split ${p} ${p})}}{{this.x}}{{/each}}{{split db.text ${p}}}`,
  (p) => `{{sha256 ${p} encoding=${p}}}{{hmac ${p} db.typo}}`,
  (p) => `{{date ${p} "unix"}}`,
  (p) => `{{toKeyValue ${p} separator=${p} between="c"}}`,
  (p) => `{{pem db.pem ${p}}}`,
  (p) => `{{x509 ${p} "sans"}}`,
  (p) => `{{tlsPem "key fullchain" ${p}}}{{tlsPem ${p} db.pem password=${p}}}`,
  (p) => `{{base64encode (pkcs12 ${p} ${p} alias=${p})}}{{base64encode (truststore db.text ${p} parts=${p})}}`,
  (p) => `{{tlsDer "leaf" ${p}}}`,
  (p) => `{{first (sort ${p})}}{{last ${p}}}`,
  ...Object.keys(QUOTINGS).map((target) => (p: string) => `{{quote "${target}" ${p}}}`),
  (p) => `{{upper (base64decode ${p})}}`,
  (p) => `{{nope ${p}}}{{log ${p}}}{{> ${p}}}`,
  (p) => `{{#${p}}}x{{/${p}}}`,
  (p) => `{{${p}`,
  (p) => `{{#if ${p}}}`,
  (p) => `{{${p} ${p} a=${p}}}`,
];

/** Options that make keys equal, invalid or missing. */
const OPTIONS: readonly FormatOptions[] = [
  { keys: 'identifier' },
  { for: 'node' },
  { for: 'systemd' },
  { for: 'kubelet' },
  { flat: true },
  { flat: true, case: 'upper', prefix: '-' },
  { rename: [['text', 'half']], flat: true },
  { rename: [['nope', 'x']], prefix: 'X_', flat: true },
  { parts: ['ca'], password: ['db', 'text'] },
  { parts: ['key'], password: ['db', 'control'] },
];

const FORMATS: readonly FormatName[] = [
  ...(['dotenv', 'json', 'properties', 'raw', 'yaml'] as const),
  ...(['pem', 'der', 'pkcs12', 'truststore'] as const),
];

describe('a failure, and a masked file', () => {
  it('never shows a value, whatever the template does wrong', async () => {
    const templates = paths.flatMap((path) => [
      ...frames.map((frame) => frame(path)),
      ...[...HELPERS.keys()].flatMap((name) => [
        `{{${name} ${path}}}`,
        `x{{${name} ${path} ${path}}}`,
        `x{{${name} (${name} ${path})}}`,
      ]),
    ]);
    let failed = 0;
    for (const template of templates) failed += await look(outputOf({ f: template }));
    for (const path of paths.filter((p) => /^\w+(\.\w+)*$/.test(p))) {
      for (const name of FORMATS) {
        for (const options of OPTIONS) failed += await look(outputOf({ f: { ...format(name, path, 'db'), options } }));
        failed += await look(outputOf({ f: format(name, path) }));
      }
    }
    expect(failed).toBeGreaterThan(1000);
  });

  it('the search finds a value that shows', async () => {
    await expect(look(outputOf({ f: `{{db.${CANARY}}}` }))).rejects.toThrow(CANARY);
  });
});

/** Renders and searches the failure or the masked file for the canary. Returns 1 when it was a failure, else 0. */
async function look(output: ReturnType<typeof outputOf>): Promise<number> {
  let shown: unknown;
  try {
    const renderer = await createRenderer(output, { secrets: new Set(['db', 'opt']), backends: new Map() });
    const rendered = await renderer.render(snapshotOf(secrets));
    shown = rendered;
    if (rendered.kind === 'files') {
      // A file that can be rendered can be masked, and shows no value then.
      const masked = await renderer.render(snapshotOf(secrets), { masked: true });
      if (masked.kind !== 'files') throw new Error(`rendered, and not masked: ${JSON.stringify(masked)}`);
      shown = [...masked.files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]);
    }
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    shown = error;
  }
  const text = `${inspect(shown, { depth: null, showHidden: true })}${JSON.stringify(shown)}`;
  if (text.includes('INTERNAL')) throw new Error(`an internal fault: ${text}`);
  for (const shape of [
    CANARY,
    CANARY.toUpperCase(),
    CANARY.toLowerCase(),
    Buffer.from(CANARY).toString('base64').slice(0, 12),
    BYTES.toString('base64').slice(0, 12),
  ]) {
    if (text.includes(shape)) throw new Error(`a value shows: ${text}`);
  }
  return Array.isArray(shown) ? 0 : 1;
}
