import type { Fetched } from '../../src/backend/backend.ts';
import { type Failure, failure, ProblemsError } from '../../src/base/errors.ts';
import { parseJson } from '../../src/base/json.ts';
import type { Fields, Value } from '../../src/base/value.ts';
import type { FileContent, OutputConfig } from '../../src/config/config.ts';
import type { SecretEntry, Snapshot } from '../../src/lease/snapshot.ts';
import type { Rendered } from '../../src/render/render.ts';
import { createRenderer } from '../../src/render/renderer.ts';
import type { ReadBytes } from '../../src/render/template/file.ts';

/** The state of one secret in a test: JSON of its fields, the fields themselves, absent, or without an answer yet. */
export type Given = string | Fields | 'optional and absent' | 'absent' | 'no answer';

/** An output with these files; a string is an inline template. */
export function outputOf(files: Readonly<Record<string, string | FileContent>>): OutputConfig {
  const entries = Object.entries(files).map(([name, what]) => {
    const content: FileContent = typeof what === 'string' ? { kind: 'content', text: what } : what;
    return [name, { place: `outputs.shop.files["${name}"]`, content }] as const;
  });
  return {
    name: 'shop',
    dir: '/run/shop',
    mode: 0o400,
    requireTmpfs: false,
    quietMs: 0,
    maxWaitMs: 0,
    reloadOnFirst: false,
    files: new Map(entries),
    reload: [],
  };
}

/** A snapshot with these secrets. */
export function snapshotOf(secrets: Readonly<Record<string, Given>>): Snapshot {
  const entries = new Map<string, SecretEntry>();
  for (const [name, given] of Object.entries(secrets)) {
    const entry = entryOf(given);
    if (entry !== undefined) entries.set(name, entry);
  }
  return { number: 1, get: (name) => entries.get(name), names: () => entries.keys() };
}

function entryOf(given: Given): SecretEntry | undefined {
  if (given === 'no answer') return undefined;
  if (given === 'optional and absent' || given === 'absent') {
    const why = failure('SECRET_NOT_FOUND', 'secrets.x', 'no such path');
    return { state: 'absent', why, optional: given === 'optional and absent', stateNumber: 1 };
  }
  const fields = typeof given === 'string' ? (parseJson(given) as Fields) : given;
  const value: Fetched = { fields, version: '1', life: { kind: 'none' } };
  return { state: 'fresh', value, fetchedWallMs: 0, changedWallMs: 0, valueNumber: 1, stateNumber: 1 };
}

/** Renders files with secrets; exactly these secrets are configured. */
export async function render(
  files: Readonly<Record<string, string | FileContent>>,
  secrets: Readonly<Record<string, Given>>,
): Promise<Rendered> {
  const renderer = await createRenderer(outputOf(files), {
    secrets: new Set(Object.keys(secrets)),
    backends: new Map(),
  });
  return renderer.render(snapshotOf(secrets));
}

/** The bytes of one file. Throws when it cannot be rendered. */
export async function bytesOf(what: string | FileContent, secrets: Readonly<Record<string, Given>>): Promise<Buffer> {
  const rendered = await render({ f: what }, secrets);
  if (rendered.kind !== 'files') throw new Error(`expected files, not ${JSON.stringify(rendered)}`);
  return Buffer.from(rendered.files.get('f') as Uint8Array);
}

export async function textOf(what: string | FileContent, secrets: Readonly<Record<string, Given>>): Promise<string> {
  return (await bytesOf(what, secrets)).toString('utf8');
}

/** The failure of one file. Throws when it can be rendered. */
export async function failureOf(
  what: string | FileContent,
  secrets: Readonly<Record<string, Given>>,
): Promise<Failure> {
  const rendered = await render({ f: what }, secrets);
  if (rendered.kind !== 'failed') throw new Error(`expected a failure, not ${JSON.stringify(rendered)}`);
  return rendered.why;
}

/** The problems of an output that are found before any value is known. */
export async function problemsOf(
  what: string | FileContent | Readonly<Record<string, string | FileContent>>,
  known: readonly string[],
  read?: ReadBytes,
): Promise<readonly Failure[]> {
  const files = typeof what === 'object' && !('kind' in what) ? what : { f: what as string | FileContent };
  try {
    await createRenderer(outputOf(files), { secrets: new Set(known), backends: new Map() }, read);
  } catch (error) {
    if (error instanceof ProblemsError) return error.failures;
    throw error;
  }
  return [];
}

/** `CODE line:column` of each problem of an inline template. */
export async function codesOf(template: string, known: readonly string[] = ['app', 'db']): Promise<readonly string[]> {
  const problems = await problemsOf(template, known);
  return problems.map(({ code, place }) => `${code} ${place.replace(/^.*content:/, '')}`);
}

type Format = Extract<FileContent, { kind: 'format' }>;

export const format = (name: Format['format'], ...from: readonly string[]): Format => ({
  kind: 'format',
  format: name,
  // The configuration splits a source at the first dot.
  from: from.map((source) => source.split(/\.(.*)/s, 2)),
});

export const fieldsOf = (fields: Readonly<Record<string, Value>>): Fields => new Map(Object.entries(fields));
