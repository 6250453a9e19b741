import { call, concat, type Expr, literal, NotKept } from './expr.ts';

const VERB = /%(?:%|([-+ #0]*)(\d+|\*)?(?:\.(\d+|\*)?)?(\[\d+\])?([a-zA-Z]))/g;

/** `printf FORMAT ARGUMENTS` as texts side by side. @throws NotKept for formats of numbers, widths and the like. */
export function printf(format: Expr | undefined, args: readonly Expr[]): Expr {
  if (format?.kind !== 'literal') {
    throw new NotKept('the format of printf is computed', 'Write a format in quotes.');
  }
  const parts: Expr[] = [];
  let next = 0;
  let end = 0;
  for (const found of format.text.matchAll(VERB)) {
    const [whole, flags = '', width, precision, index, verb = ''] = found;
    parts.push(literal(format.text.slice(end, found.index)));
    end = found.index + whole.length;
    if (whole === '%%') {
      parts.push(literal('%'));
      continue;
    }
    const isPlain = flags === '' && width === undefined && !whole.includes('.') && precision === undefined;
    if (!isPlain || index !== undefined || !['s', 'v', 'd', 'q', 't'].includes(verb)) {
      throw new NotKept(`printf with ${whole} has nothing like it here`, 'Formats here are %s, %v, %d, %t and %q.');
    }
    const arg = args[next++];
    if (arg === undefined) throw new NotKept('printf has fewer arguments than its format', 'Add the argument.');
    parts.push(verb === 'q' ? call('quote', [literal('go'), arg]) : arg);
  }
  parts.push(literal(format.text.slice(end)));
  if (next < args.length) throw new NotKept('printf has more arguments than its format', 'Remove the argument.');
  return concat(parts);
}

/** `print`, whose operands have a space between them where neither is a text. */
export function print(args: readonly Expr[]): Expr {
  const isNumber = (expr: Expr | undefined) => expr?.kind === 'literal' && expr.type !== 'text';
  return concat(args.flatMap((arg, i) => (isNumber(arg) && isNumber(args[i - 1]) ? [literal(' '), arg] : [arg])));
}
