import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { type Failure, ProblemsError } from '../../src/base/errors.ts';
import type { Config } from '../../src/config/config.ts';
import type { Environment } from '../../src/config/environment.ts';
import { loadConfig } from '../../src/config/load.ts';

export const FIXTURES = resolve('test/fixtures/config');

/** A folder that is removed after the test. */
export function makeFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'pannier-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

export function loadFixture(name: string, env: Environment = {}): Promise<Config> {
  return loadConfig({ kinds: BACKEND_KINDS, paths: [name], env, cwd: FIXTURES });
}

/** Loads a text as the file shop.yaml in a new folder. */
export function loadText(text: string, env: Environment = {}): Promise<Config> {
  return loadConfig({ kinds: BACKEND_KINDS, paths: ['shop.yaml'], env, cwd: makeFolder({ 'shop.yaml': text }) });
}

/** Loads, as JSON, a configuration with one vault backend `bao` and the given sections. */
export function loadWith(given: object, env: Environment = {}): Promise<Config> {
  return loadText(JSON.stringify({ version: 1, backends: { bao: BAO }, ...given }), env);
}

export const BAO = { kind: 'vault', address: 'http://127.0.0.1:8200', auth: { method: 'kubernetes', role: 'shop' } };

/** The problems of a configuration that is being loaded; an empty list when there are none. */
export async function problemsOf(loading: Promise<unknown>): Promise<readonly Failure[]> {
  try {
    await loading;
  } catch (error) {
    if (error instanceof ProblemsError) return error.failures;
    throw error;
  }
  return [];
}

/** The problems as `CODE place`, for tables. */
export async function briefly(loading: Promise<unknown>): Promise<string[]> {
  return (await problemsOf(loading)).map(({ code, place }) => `${code} ${place}`);
}
