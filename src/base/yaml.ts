import type { Document, Node, Scalar } from 'yaml';
import { parseBounded, TooDeep } from './bounded-yaml.ts';
import { Secret } from './secret.ts';
import type { Value } from './value.ts';

/** Why a YAML file is refused, and where. It quotes no part of the file, as the errors of the YAML library do. */
export class YamlError extends Error {
  readonly what: string;
  /** Lines and columns count from 1. */
  readonly line: number;
  readonly column: number;

  constructor(what: string, { line, col }: { line: number; col: number }) {
    super(`${what} at ${line}:${col}`);
    this.name = 'YamlError';
    this.what = what;
    this.line = line;
    this.column = col;
  }
}

const MAX_DEPTH = 200;

/** How many values aliases may add, so that a few lines cannot become gigabytes ("billion laughs"). */
const MAX_ALIASED = 10_000;

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const BINARY = 'tag:yaml.org,2002:binary';
const KNOWN_TAGS = /^tag:yaml\.org,2002:(?:map|seq|str|int|float|bool|null|binary)$/;

/**
 * Parses one YAML 1.2 document. The value is made of the document's nodes rather than by `toJS`, so that numbers keep
 * their source text and `__proto__` is a name like any other. A number that JSON cannot write in the same way (`012`,
 * `0x1F`, `.5`) stays text, since a PIN must not lose its zero. Returns undefined for an empty document. Merge keys,
 * tags of an application, and maps as names are refused.
 * @throws YamlError
 */
export async function parseYaml(text: string): Promise<Value | undefined> {
  return (await loadYaml())(text);
}

/** What `parseYaml` does, for callers that cannot wait: the library is loaded when this resolves. */
export async function loadYaml(): Promise<(text: string) => Value | undefined> {
  const yaml = await import('yaml');
  return (text) => parseWith(yaml, text);
}

function parseWith(yaml: typeof import('yaml'), text: string): Value | undefined {
  const lines = new yaml.LineCounter();
  let document: Document.Parsed;
  try {
    document = parseBounded(yaml, text, { lineCounter: lines, version: '1.2', merge: false });
  } catch (error) {
    if (error instanceof TooDeep) throw new YamlError('nested too deep', lines.linePos(error.offset));
    throw new YamlError('cannot be parsed', { line: 1, col: 1 });
  }
  const [error] = document.errors;
  // The code is one of a fixed list, such as BAD_INDENT.
  if (error !== undefined) throw new YamlError(`not valid YAML (${error.code})`, lines.linePos(error.pos[0]));
  if (document.contents === null) return undefined;
  return new NodeReader(yaml, (offset) => lines.linePos(offset)).value(document.contents, 0, false);
}

/** Turns the nodes of one document into values. */
class NodeReader {
  readonly #yaml: typeof import('yaml');
  readonly #place: (offset: number) => { line: number; col: number };
  readonly #anchors = new Map<string, Node>();
  #aliased = 0;

  constructor(yaml: typeof import('yaml'), place: (offset: number) => { line: number; col: number }) {
    this.#yaml = yaml;
    this.#place = place;
  }

  value(node: Node | null, depth: number, inAlias: boolean): Value {
    if (node === null) return Secret.null();
    if (depth > MAX_DEPTH) throw this.#refuse('nested too deep', node);
    if (inAlias && ++this.#aliased > MAX_ALIASED) throw this.#refuse('too much repeated by aliases', node);
    const { isAlias, isMap, isScalar, isSeq } = this.#yaml;
    if (isAlias(node)) {
      const meant = this.#anchors.get(node.source);
      if (meant === undefined) throw this.#refuse('alias without an anchor', node);
      return this.value(meant, depth + 1, true);
    }
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (node.tag !== undefined && !KNOWN_TAGS.test(node.tag)) throw this.#refuse('a tag that is not known', node);
    if (isScalar(node)) return this.#leaf(node);
    if (isSeq(node)) return node.items.map((item) => this.value(item as Node | null, depth + 1, inAlias));
    if (!isMap(node)) throw this.#refuse('a node that is not supported', node);
    const fields = new Map<string, Value>();
    const keys = new Set<unknown>();
    for (const { key, value } of node.items) {
      if (isScalar(key)) {
        if (keys.has(key.value)) throw this.#refuse('not valid YAML (DUPLICATE_KEY)', key);
        keys.add(key.value);
      }
      fields.set(this.#name(key as Node | null, node), this.value(value as Node | null, depth + 1, inAlias));
    }
    return fields;
  }

  #name(key: Node | null, map: Node): string {
    if (!this.#yaml.isScalar(key)) throw this.#refuse('a name that is not text', key ?? map);
    const { value, source, type } = key;
    if (value === '<<' && type === 'PLAIN') throw this.#refuse('merge keys are not supported', key);
    return typeof value === 'string' ? value : (source ?? '');
  }

  #leaf(node: Scalar): Value {
    const { value, source, tag } = node;
    if (tag === BINARY) return Secret.bytes(Buffer.from(source ?? '', 'base64'));
    if (typeof value === 'string') return Secret.text(value);
    if (typeof value === 'boolean') return Secret.boolean(value);
    if (value === null) return Secret.null();
    const written = source ?? '';
    return JSON_NUMBER.test(written) ? Secret.number(written) : Secret.text(written);
  }

  #refuse(what: string, node: Node): YamlError {
    return new YamlError(what, this.#place(node.range?.[0] ?? 0));
  }
}
