import type { Document, DocumentOptions, LineCounter, ParseOptions, SchemaOptions, YAMLParseError } from 'yaml';

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

/** Whatever is wrong at more places was wrong before. */
export const MAX_ERRORS = 50;

export type BoundedOptions = Omit<ParseOptions, 'uniqueKeys'> &
  DocumentOptions &
  SchemaOptions & { readonly lineCounter?: LineCounter };

/** The collector of the library's composer, which has no option that stops it. */
interface Collecting {
  onError(source: unknown, code: string, message: string, isWarning?: boolean): void;
  readonly errors: YAMLParseError[];
}

const STOP = Symbol('stop');

/**
 * What `parseDocument` of the library does, with bounds while it reads. On the depth: the library recurses, looks
 * through all that is open at each closing, and takes seconds for 100 KiB of brackets. On the errors: each costs ten
 * times what a value costs, so the parser stops at one more than `MAX_ERRORS`, and the document then has that many and
 * nothing else. Of warnings as many are kept. Keys that are twice in a map are for the caller to find: the library
 * compares each key with each other one.
 * @throws TooDeep
 */
export function parseBounded(yaml: Yaml, text: string, options: BoundedOptions = {}): Document.Parsed {
  const { Composer, Lexer, Parser, YAMLParseError } = yaml;
  const all = { ...options, uniqueKeys: false, prettyErrors: false };
  const addLine = options.lineCounter?.addNewLine;
  const parser = new Parser(addLine);
  addLine?.(0);
  let errors = 0;
  const tokens = function* () {
    for (const lexeme of new Lexer().lex(text)) {
      for (const token of parser.next(lexeme)) {
        yield token;
        if (token.type === 'error' && ++errors > MAX_ERRORS) return;
      }
      if (parser.stack.length > MAX_OPEN) throw new TooDeep(parser.offset);
    }
    yield* parser.end();
  };
  const composer = new Composer(all);
  const collecting = composer as unknown as Collecting;
  const collect = collecting.onError;
  let warnings = 0;
  collecting.onError = (source, code, message, isWarning = false) => {
    // The library itself catches what is thrown while a scalar is read, and tells it as one more error.
    if (errors > MAX_ERRORS) throw STOP;
    if (isWarning && ++warnings > MAX_ERRORS + 1) return;
    collect(source, code, message, isWarning);
    if (!isWarning) errors++;
  };
  try {
    const [first, second] = firstTwo(composer.compose(tokens(), true, text.length));
    // Of an empty text the library makes a document too.
    const document = first as Document.Parsed;
    if (second !== undefined) {
      const [start, end] = second.range;
      document.errors.push(new YAMLParseError([start, end], 'MULTIPLE_DOCS', 'there are several documents'));
    }
    return document;
  } catch (error) {
    if (error !== STOP) throw error;
    const [empty] = firstTwo(new Composer(all).compose([], true, 0));
    const document = empty as Document.Parsed;
    document.errors.push(...collecting.errors);
    return document;
  }
}

function firstTwo<T>(all: Iterable<T>): readonly T[] {
  const found: T[] = [];
  for (const one of all) {
    found.push(one);
    if (found.length === 2) break;
  }
  return found;
}
