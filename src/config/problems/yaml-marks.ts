import type { Document, Node, Pair, Scalar } from 'yaml';
import { parseBounded, TooDeep } from '../../base/bounded-yaml.ts';
import { pathKey } from '../place.ts';
import type { Marks } from './marks.ts';

type Yaml = typeof import('yaml');

/** As in load/parse-yaml.ts: no value that was read is nested deeper. */
const MAX_DEPTH = 64;

/**
 * Where keys, items and scalars stand in a text that is valid YAML. What an alias stands for is at the alias.
 * @param parsed absent: the text is parsed here.
 */
export function readYamlMarks(yaml: Yaml, text: string, parsed?: Document.Parsed): Marks {
  const { isAlias, isMap, isSeq } = yaml;
  const keys = new Map<string, { path: readonly (string | number)[]; offset: number }>();
  const scalars = new Map<string, number>();
  const blocks = new Map<string, { offset: number; indent: number }>();
  try {
    const options = { version: '1.2', stringKeys: true, logLevel: 'silent' } as const;
    visit((parsed ?? parseBounded(yaml, text, options)).contents as Node | null, []);
  } catch (error) {
    // Its place was told when it was read.
    if (!(error instanceof TooDeep)) throw error;
  }
  return { keys, scalars, blocks };

  function visit(node: Node | null, path: readonly (string | number)[]): void {
    if (node === null || path.length > MAX_DEPTH) return;
    if (isMap(node)) {
      for (const { key, value } of node.items as Pair<Scalar | null, Node | null>[]) {
        const below = [...path, String(key?.value ?? '')];
        mark(below, startOf(key) ?? startOf(value) ?? startOf(node) ?? 0);
        visit(value, below);
      }
    } else if (isSeq(node)) {
      for (const [index, item] of (node.items as (Node | null)[]).entries()) {
        const below = [...path, index];
        mark(below, startOf(item) ?? startOf(node) ?? 0);
        visit(item, below);
      }
    } else if (isAlias(node) || ((node as Scalar).value !== null && (node as Scalar).value !== undefined)) {
      scalars.set(pathKey(path), startOf(node) ?? 0);
      const block = (node as Scalar).type === 'BLOCK_LITERAL' ? blockAt(text, startOf(node) ?? 0) : undefined;
      if (block !== undefined) blocks.set(pathKey(path), block);
    }
  }

  function mark(path: readonly (string | number)[], offset: number): void {
    const key = pathKey(path);
    if (!keys.has(key)) keys.set(key, { path, offset });
  }
}

const startOf = (node: Node | null): number | undefined => node?.range?.[0];

/** The block whose `|` is at `start`; undefined when the indentation is not that of its first line. */
function blockAt(text: string, start: number): { offset: number; indent: number } | undefined {
  const [whole, header = '', lines = ''] = /^([^\n]*\n)((?:[ \r]*\n)*) */.exec(text.slice(start, start + 10_000)) ?? [];
  if (whole === undefined || /^\|[+-]?\d/.test(header)) return undefined;
  return { offset: start + header.length, indent: whole.length - header.length - lines.length };
}
