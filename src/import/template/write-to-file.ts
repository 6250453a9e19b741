import type { GoPipe } from '../go/nodes.ts';
import { type Expr, type GoValue, NotKept } from './expr.ts';
import { toExpr } from './function.ts';
import type { Out } from './out.ts';

/** A file that a template writes beside its own, by `writeToFile`. */
export interface ExtraFile {
  readonly path: string;
  readonly user: string;
  readonly group: string;
  /** As it is written: octal digits. */
  readonly perms: string;
  readonly parts: readonly Out[];
}

/**
 * `{{ VALUE | writeToFile PATH USER GROUP PERMS [FLAGS] }}` as a file with the value as its content; undefined for any
 * other pipeline. @throws NotKept
 */
export function extraFileOf(
  pipe: GoPipe,
  evaluate: (pipe: GoPipe) => GoValue,
): (Omit<ExtraFile, 'parts'> & { readonly content: Expr }) | undefined {
  const last = pipe.commands.at(-1);
  const [word, ...args] = last?.words ?? [];
  if (last === undefined || word?.kind !== 'function' || word.name !== 'writeToFile') return undefined;
  const texts = args.map((arg) => (arg.kind === 'string' ? arg.value : undefined));
  const [path, user, group, perms, flags = ''] = texts;
  if (pipe.commands.length < 2 || texts.includes(undefined) || path === undefined || perms === undefined) {
    throw new NotKept('writeToFile with a computed argument', 'Make an output file of it.', word.offset);
  }
  if (flags.includes('append')) {
    throw new NotKept('writeToFile that appends', 'Put all parts of the file into one template.', word.offset);
  }
  if (!/^[0-7]{3,4}$/.test(perms)) throw new NotKept('writeToFile with an odd mode', 'Write "0600".', word.offset);
  const content = toExpr(evaluate({ ...pipe, commands: pipe.commands.slice(0, -1) }));
  const ended: Expr = flags.includes('newline')
    ? { kind: 'call', helper: 'concat', args: [content, { kind: 'literal', type: 'text', text: '\n' }], options: {} }
    : content;
  return { path, user: user ?? '', group: group ?? '', perms, content: ended };
}
