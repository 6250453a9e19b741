import type { Alias, Document, Node, Pair, Range, Scalar, YAMLError } from 'yaml';
import { MAX_ERRORS, parseBounded, TooDeep } from '../../base/bounded-yaml.ts';
import type { ConfigText } from '../problems/marks.ts';
import type { Problems } from '../problems/problems.ts';
import { repeatedKey, syntaxProblem } from '../problems/syntax.ts';
import type { YamlReading } from '../problems/yaml-reading.ts';

type Yaml = typeof import('yaml');
type Position = (offset: number) => { readonly line: number; readonly col: number };

/** How deep values may be nested. No configuration needs as much, and an alias that holds itself ends here. */
const MAX_DEPTH = 64;

/**
 * How many values all aliases of a file bring together. Aliases that hold aliases can make a small file very large, and
 * each later look at it slow; no configuration needs as many.
 */
const MAX_BY_ALIASES = 100_000;

/** Messages for the parser's codes. Its own messages are not used, since they print lines of the file. */
const MESSAGES: Readonly<Record<string, string>> = {
  BAD_INDENT: 'the indentation does not fit',
  TAB_AS_INDENT: 'a tab cannot indent',
  BLOCK_IN_FLOW: 'a block is inside brackets',
  MISSING_CHAR: 'a character is missing, such as a closing quote, a bracket or a comma',
  MULTIPLE_DOCS: 'several documents stand in one file',
  UNEXPECTED_TOKEN: 'there is something unexpected here',
  BAD_DQ_ESCAPE: 'an escape in double quotes is unknown; single quotes keep backslashes as they are',
  NON_STRING_KEY: 'a map or a list is used as a key; a value that begins with {{ needs quotes',
  MULTILINE_IMPLICIT_KEY: 'a key spans lines; perhaps a colon is missing',
  TAG_RESOLVE_FAILED: 'the tag is unknown',
  BLOCK_AS_IMPLICIT_KEY: 'there is a colon too many, or quotes are missing',
};

/**
 * Parses a configuration file in YAML 1.2; undefined when there is a syntax error, which was reported. The parser is
 * loaded here, so that a JSON configuration does not spend time on it.
 */
export async function parseYamlFile(file: ConfigText, problems: Problems): Promise<unknown> {
  const { label, text } = file;
  const reading = file.reading ?? readYaml(await import('yaml'), text);
  if (text.length <= MAX_KEPT) file.reading = reading;
  for (const { message, ...at } of reading.errors) problems.take(syntaxProblem(label, at, `not YAML: ${message}`));
  for (const { path, firstLine, ...at } of reading.repeated) problems.take(repeatedKey(label, path, at, firstLine));
  return reading.tree;
}

/** A longer text is read again when something is wrong with it: its tree takes fifty times its length. */
const MAX_KEPT = 64 * 1024;

/**
 * Reads YAML 1.2. Of syntax errors the first fifty are told and that there are more, of repeated keys the first fifty.
 * @param maxByAliases see `MAX_BY_ALIASES`; with 0 no alias is taken.
 */
export function readYaml(yaml: Yaml, text: string, maxByAliases = MAX_BY_ALIASES): YamlReading {
  const lineCounter = new yaml.LineCounter();
  const reader = new Reader(yaml, (offset) => lineCounter.linePos(offset), maxByAliases);
  let document: Document.Parsed;
  try {
    document = parseBounded(yaml, text, { version: '1.2', stringKeys: true, logLevel: 'error', lineCounter });
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
    reader.report(error.offset, TOO_DEEP);
    return { errors: reader.errors, repeated: [], count: 0 };
  }
  const errors: readonly YAMLError[] = [...document.errors, ...document.warnings];
  for (const { code, pos } of errors) reader.report(pos[0], MESSAGES[code] ?? 'the syntax is broken here');
  const tree = errors.length === 0 ? reader.read(document.contents as Node | null) : undefined;
  const { errors: told, repeated, count } = reader;
  return { errors: told, repeated, count, document, ...(told.length > 0 ? {} : { tree }) };
}

const TOO_DEEP = 'nested too deep';
const TOO_MANY = 'aliases make the file too large';
const NO_ALIAS = 'there are no aliases here';
const AND_MORE = 'there is more from here on, which is told when what stands before it is mended';

/** Makes plain values of nodes in the order of the text, so that an alias finds the anchor before it. */
class Reader {
  readonly errors: YamlReading['errors'][number][] = [];
  readonly repeated: YamlReading['repeated'][number][] = [];
  /** How many values have been made, those that an alias brings again included. */
  count = 0;
  readonly #yaml: Yaml;
  readonly #position: Position;
  readonly #maxByAliases: number;
  readonly #anchors = new Map<string, { readonly value: unknown; readonly count: number }>();
  #byAliases = 0;
  readonly #path: (string | number)[] = [];

  constructor(yaml: Yaml, position: Position, maxByAliases: number) {
    this.#yaml = yaml;
    this.#position = position;
    this.#maxByAliases = maxByAliases;
  }

  report(offset: number, message: string): void {
    if (this.errors.length > MAX_ERRORS) return;
    const { line, col } = this.#position(offset);
    this.errors.push({ line, column: col, message: this.errors.length === MAX_ERRORS ? AND_MORE : message });
  }

  read(node: Node | null): unknown {
    const before = this.count++;
    if (node === null) return null;
    if (this.#yaml.isAlias(node)) return this.#ofAlias(node);
    const value = this.#value(node);
    if (node.anchor) this.#anchors.set(node.anchor, { value, count: this.count - before });
    return value;
  }

  #ofAlias(alias: Alias): unknown {
    const anchor = this.#anchors.get(alias.source);
    if (anchor === undefined) {
      this.report(startOf(alias), 'an alias has no anchor before it');
      return null;
    }
    if (this.#byAliases > this.#maxByAliases) return null; // which was reported
    this.count += anchor.count;
    this.#byAliases += anchor.count;
    const why = this.#maxByAliases === 0 ? NO_ALIAS : TOO_MANY;
    if (this.#byAliases > this.#maxByAliases) this.report(startOf(alias), why);
    return anchor.value;
  }

  #value(node: Node): unknown {
    if (this.#path.length > MAX_DEPTH) {
      this.report(startOf(node), TOO_DEEP);
      return null;
    }
    if (this.#yaml.isSeq(node)) return node.items.map((item, index) => this.#below(index, item as Node));
    if (this.#yaml.isMap(node)) return this.#map(node.items as Pair<Scalar | null, Node | null>[]);
    return (node as Scalar).value;
  }

  #map(pairs: readonly Pair<Scalar | null, Node | null>[]): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    const first = new Map<string, number>();
    for (const pair of pairs) {
      const key = String(pair.key?.value ?? '');
      const { line, col } = this.#position(pair.key === null ? 0 : startOf(pair.key));
      const firstLine = first.get(key);
      if (firstLine === undefined) first.set(key, line);
      else if (this.repeated.length < MAX_ERRORS)
        this.repeated.push({ path: [...this.#path, key], line, column: col, firstLine });
      const value = this.#below(key, pair.value);
      // An assignment would not make `__proto__` an own key, and `interpolate` could not refuse it.
      Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
    }
    return map;
  }

  #below(step: string | number, node: Node | null): unknown {
    this.#path.push(step);
    const value = this.read(node);
    this.#path.pop();
    return value;
  }
}

function startOf(node: Node): number {
  return (node.range as Range | null | undefined)?.[0] ?? 0;
}
