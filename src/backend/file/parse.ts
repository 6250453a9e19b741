import { fail, type PannierError } from '../../base/errors.ts';
import { JsonError, parseJson } from '../../base/json.ts';
import { Secret } from '../../base/secret.ts';
import { type Fields, isFields, type Value } from '../../base/value.ts';
import { parseYaml, YamlError } from '../../base/yaml.ts';
import { DotenvError, parseDotenv } from './dotenv.ts';

export type FileKind = 'yaml' | 'json' | 'dotenv';

/** The format of a file by its name: `*.yaml`, `*.yml`, `*.json`, `*.env`, `.env*`; undefined for other names. */
export function fileKind(name: string): FileKind | undefined {
  if (/\.ya?ml$/i.test(name)) return 'yaml';
  if (/\.json$/i.test(name)) return 'json';
  return /\.env$/i.test(name) || name.startsWith('.env') ? 'dotenv' : undefined;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses a file to its top-level names and their values; an empty file has none.
 * @param path is for messages.
 * @throws PannierError BACKEND_FILE with line and column; it quotes no part of the file.
 */
export async function parseFile(kind: FileKind, bytes: Uint8Array, path: string, place: string): Promise<Fields> {
  let text: string;
  try {
    text = strictUtf8.decode(bytes);
  } catch {
    throw unusable(path, 'not UTF-8 text', place);
  }
  const value = await parse(kind, text, path, place);
  if (isFields(value)) return value;
  throw unusable(path, 'the top level is not a map of names', place);
}

/** Makes the failure of a file or folder that cannot be used. */
export function unusable(path: string, what: string, place: string): PannierError {
  return fail('BACKEND_FILE', place, `${path}: ${what}`);
}

async function parse(kind: FileKind, text: string, path: string, place: string): Promise<Value> {
  if (text.trim() === '') return new Map();
  if (kind === 'dotenv') {
    try {
      return new Map([...parseDotenv(text)].map(([name, value]) => [name, Secret.text(value)]));
    } catch (error) {
      if (!(error instanceof DotenvError)) throw error;
      throw unusable(path, `${error.what}, line ${error.line}`, place);
    }
  }
  try {
    return kind === 'json' ? parseJson(text) : ((await parseYaml(text)) ?? new Map());
  } catch (error) {
    if (error instanceof YamlError) throw unusable(path, `${error.what}, line ${at(error.line, error.column)}`, place);
    if (!(error instanceof JsonError)) throw unusable(path, 'cannot be parsed', place);
    const before = text.slice(0, error.offset).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    throw unusable(path, `not valid JSON, line ${at(before.length, column)}`, place);
  }
}

const at = (line: number, column: number): string => `${line}, column ${column}`;
