import type { Node, YAMLMap } from 'yaml';
import type { Place, Problem } from '../problem.ts';

/** One annotation, without its prefix. */
export interface Annotation {
  readonly name: string;
  readonly value: string;
  readonly place: Place;
  /** Where the lines of a value begin that has lines of its own. */
  readonly body?: { readonly line: number; readonly margin: number };
}

const PREFIX = /^(?:vault\.hashicorp\.com|openbao\.org)\//;
const MAX_DEPTH = 100;

/** Words for the parser's commonest codes. Those of a configuration are loaded at each start, and stay there. */
const WORDS: Readonly<Record<string, string>> = {
  BAD_INDENT: 'the indentation does not fit',
  TAB_AS_INDENT: 'a tab cannot indent',
  MISSING_CHAR: 'a character is missing, such as a closing quote, a bracket or a comma',
  MULTILINE_IMPLICIT_KEY: 'a key spans lines; perhaps a colon is missing',
};

/**
 * The annotations of the injector in a manifest: a pod, or anything that has the template of one, in one or several
 * documents of YAML or JSON.
 */
export async function readAnnotations(
  text: string,
  file: string,
): Promise<{ readonly annotations: readonly Annotation[] } | { readonly unreadable: Problem }> {
  const { isMap, isScalar, LineCounter, parseAllDocuments } = await import('yaml');
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const annotations: Annotation[] = [];
  for (const document of 'empty' in documents ? [] : documents) {
    const [error] = document.errors;
    if (error !== undefined) {
      const seen = `the manifest is not YAML: ${WORDS[error.code] ?? 'the syntax is broken here'}`;
      return { unreadable: { place: at(error.pos[0]), seen, todo: 'Correct it first.' } };
    }
    const visit = (node: Node | null, depth: number): void => {
      if (!isMap(node) || depth > MAX_DEPTH) return;
      for (const { key, value } of (node as YAMLMap<Node, Node | null>).items) {
        if (!isScalar(key)) continue;
        if (key.value === 'annotations' && isMap(value)) {
          for (const one of (value as YAMLMap<Node, Node | null>).items) {
            if (!isScalar(one.key) || !PREFIX.test(String(one.key.value)) || !isScalar(one.value)) continue;
            const name = String(one.key.value).replace(PREFIX, '');
            const { value: given, type, range } = one.value;
            const isBlock = type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED';
            const body = isBlock ? bodyAt(text, at(range?.[0] ?? 0).line + 1) : undefined;
            const place = at(one.key.range?.[0] ?? 0);
            annotations.push({ name, value: String(given ?? ''), place, ...(body === undefined ? {} : { body }) });
          }
        } else if (['metadata', 'spec', 'template', 'jobTemplate', 'items'].includes(String(key.value))) {
          for (const inner of itemsOf(value)) visit(inner, depth + 1);
        }
      }
    };
    visit(document.contents as Node | null, 0);
  }
  return { annotations };

  function itemsOf(value: Node | null): readonly (Node | null)[] {
    return value !== null && 'items' in value && !isMap(value) ? (value as { items: Node[] }).items : [value];
  }
}

/** A block's first line, and how far it is indented. */
function bodyAt(text: string, line: number): { readonly line: number; readonly margin: number } {
  const first = text.split('\n')[line - 1] ?? '';
  return { line, margin: first.length - first.trimStart().length };
}
