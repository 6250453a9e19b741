/** Writes values of the injector as CEL, the language of admission policies. */

/** The longest line of an expression. */
const WIDTH = 104;

/** Marks that no text of a pod's containers and volumes has. */
const HOLE = /«([?!]?)([^»]*)»/g;
const WHOLE = /^«([?!]?)([^»]*)»$/;

/** Fields whose value is a map with keys of any kind, not an object with fields. */
const MAPS: ReadonlySet<string> = new Set(['requests', 'limits']);

/**
 * A hole: the injector's code takes it for the value and puts it where the value goes, and there `celOf` writes the
 * expression. It has whatever type the place asks for.
 */
export const hole = (expression: string): never => `«${expression}»` as never;

/** A hole whose expression may give an empty text; then the member that it is the value of is left out. */
export const memberHole = (expression: string): never => `«?${expression}»` as never;

/** A hole whose expression may give an empty text; then the item of the list that it is in is left out. */
export const itemHole = (expression: string): never => `«!${expression}»` as never;

/**
 * The expression that makes a value.
 * @param type the name of the value's type, which is its path in the pod: `Object.spec.volumes`.
 */
export function celOf(value: unknown, type: string, indent = 0): string {
  if (typeof value === 'string') return textOf(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value))
    return bracketed(
      '[',
      value.map((item) => itemOf(item, type, indent + 2)),
      ']',
      indent,
    );
  const isMap = MAPS.has(type.slice(type.lastIndexOf('.') + 1));
  const members = Object.entries(value).map(([name, member]) => {
    const written = celOf(member, `${type}.${name}`, indent + 2);
    return `${isOptional(member) ? '?' : ''}${isMap ? quoted(name) : name}: ${written}`;
  });
  return bracketed(isMap ? '{' : `${type}{`, members, '}', indent);
}

/** A text in CEL. Texts of policies need no escapes. */
export function quoted(text: string): string {
  if (/['\\\n]/.test(text)) throw new Error(`${text} needs escapes in CEL`);
  return `'${text}'`;
}

/**
 * A list of texts in CEL, on as many lines as it needs.
 * @param indent of the line that it begins on.
 */
export function quotedList(texts: Iterable<string>, indent = 0): string {
  const margin = ' '.repeat(indent + 2);
  const lines: string[] = [''];
  for (const text of [...texts].map(quoted)) {
    const last = lines.pop() as string;
    const longer = last === '' ? text : `${last}, ${text}`;
    if (indent + longer.length < WIDTH) lines.push(longer);
    else lines.push(`${last},`, text);
  }
  return lines.length === 1
    ? `[${lines[0]}]`
    : `[\n${lines.map((line) => margin + line).join('\n')}\n${' '.repeat(indent)}]`;
}

/**
 * What stands behind a question mark says its type here: the API server of Kubernetes 1.37 panics in its check of an
 * expression that has a value of an unknown type there.
 */
const optional = (expression: string): string => `optional.ofNonZeroValue(${expression})`;

const isOptional = (value: unknown): boolean => typeof value === 'string' && WHOLE.exec(value)?.[1] === '?';

function itemOf(item: unknown, type: string, indent: number): string {
  const found = /«!([^»]*)»/.exec(JSON.stringify(item));
  if (found === null) return celOf(item, type, indent);
  const filled = JSON.parse(JSON.stringify(item).replace(found[0], '«it»'));
  return `?${optional(found[1] as string)}.optMap(it, ${celOf(filled, type, indent)})`;
}

function textOf(value: string): string {
  const whole = WHOLE.exec(value);
  if (whole !== null) return whole[1] === '?' ? optional(whole[2] as string) : (whole[2] as string);
  const parts: string[] = [];
  let end = 0;
  for (const { 0: all, 2: expression, index } of value.matchAll(HOLE)) {
    if (index > end) parts.push(quoted(value.slice(end, index)));
    parts.push(`string(${expression})`);
    end = index + all.length;
  }
  if (end < value.length || parts.length === 0) parts.push(quoted(value.slice(end)));
  return parts.join(' + ');
}

function bracketed(open: string, items: readonly string[], close: string, indent: number): string {
  const line = `${open}${items.join(', ')}${close}`;
  if (!line.includes('\n') && indent + line.length <= WIDTH) return line;
  const margin = ' '.repeat(indent + 2);
  return `${open}\n${items.map((item) => `${margin}${item}`).join(',\n')}\n${' '.repeat(indent)}${close}`;
}
