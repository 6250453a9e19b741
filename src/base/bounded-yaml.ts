import type { Document, DocumentOptions, LineCounter, ParseOptions, SchemaOptions } from 'yaml';

type Yaml = typeof import('yaml');

/** A text whose maps and lists are nested deeper than any that is meant. */
export class TooDeep extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super(`nested too deep at offset ${offset}`);
    this.name = 'TooDeep';
    this.offset = offset;
  }
}

/** What the parser has open at one time. A map or a list is one of them, and so are the document and a key. */
const MAX_OPEN = 250;

export type BoundedOptions = ParseOptions & DocumentOptions & SchemaOptions & { readonly lineCounter?: LineCounter };

/**
 * What `parseDocument` of the library does, with a bound on the depth while it reads: the library recurses, looks
 * through all that is open at each closing, and takes seconds for 100 KiB of brackets.
 * @throws TooDeep
 */
export function parseBounded(
  { Composer, Lexer, Parser, YAMLParseError }: Yaml,
  text: string,
  options: BoundedOptions = {},
): Document.Parsed {
  const addLine = options.lineCounter?.addNewLine;
  const parser = new Parser(addLine);
  addLine?.(0);
  const tokens = function* () {
    for (const lexeme of new Lexer().lex(text)) {
      yield* parser.next(lexeme);
      if (parser.stack.length > MAX_OPEN) throw new TooDeep(parser.offset);
    }
    yield* parser.end();
  };
  const [first, second] = firstTwo(new Composer(options).compose(tokens(), true, text.length));
  // Of an empty text the library makes a document too.
  const document = first as Document.Parsed;
  if (second !== undefined) {
    const [start, end] = second.range;
    document.errors.push(new YAMLParseError([start, end], 'MULTIPLE_DOCS', 'there are several documents'));
  }
  return document;
}

function firstTwo<T>(all: Iterable<T>): readonly T[] {
  const found: T[] = [];
  for (const one of all) {
    found.push(one);
    if (found.length === 2) break;
  }
  return found;
}
