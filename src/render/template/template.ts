import { isSecret } from '../../base/value.ts';
import { HELPERS } from '../helpers/index.ts';
import { analyse, type FieldUse, type KnownNames } from './analyse.ts';
import { type ComputedLookup, Evaluation, type View } from './evaluate.ts';
import { RenderFault } from './fault.ts';
import { goHintsIn } from './go-syntax.ts';
import { MASK } from './mask.ts';
import type { SecretCall, TemplateNode } from './nodes.ts';
import { parseTemplate, SyntaxFault } from './parse.ts';
import type { Location } from './syntax-tree.ts';
import { toBytes } from './text.ts';

/** A template that is parsed and analysed. Its source is not kept. */
export interface Template {
  /** Every place where a field of a secret is named. */
  readonly uses: readonly FieldUse[];
  /** Where it asks backends for secrets by computed paths. */
  readonly asks: readonly SecretCall[];
  /** Everything that is wrong with the template. A template with problems must not be rendered. */
  readonly problems: readonly RenderFault[];
  /** @throws RenderFault */
  render(view: View, lookUp?: ComputedLookup, masked?: boolean): Uint8Array;
}

/** Parses and analyses a template. Never throws for a faulty template: its faults are in `problems`. */
export async function readTemplate(source: string, known: KnownNames): Promise<Template> {
  const goHint = goHintsIn(source);
  try {
    const program = await parseTemplate(source);
    const { nodes, uses, asks, problems } = analyse(program, known, sourceOf(source));
    for (const [name, { load }] of HELPERS) if (load !== undefined && source.includes(name)) await load();
    return {
      uses,
      asks,
      problems: problems.map((fault) => explained(fault, goHint)),
      render: (view, lookUp, masked) => renderNodes(nodes, new Evaluation(view, lookUp, masked), masked),
    };
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    const problems = [explained(new RenderFault('TEMPLATE_SYNTAX', error.message, { at: error.at }), goHint)];
    return { uses: [], asks: [], problems, render: () => new Uint8Array() };
  }
}

/** Adds a hint to a fault at Go template syntax, as used by Vault Agent: what to write here instead. */
function explained(fault: RenderFault, goHint: ReturnType<typeof goHintsIn>): RenderFault {
  const hint = fault.at === undefined ? undefined : goHint(fault.at);
  return hint === undefined ? fault : new RenderFault(fault.code, fault.message, { hint, at: fault.at });
}

function renderNodes(nodes: readonly TemplateNode[], evaluation: Evaluation, masked = false): Uint8Array {
  const [only] = nodes;
  // A template that is one call and nothing else, such as {{base64decode app.keystore}}, may give any bytes.
  if (nodes.length === 1 && typeof only === 'object' && only.kind === 'put' && only.expr.kind === 'call') {
    const value = evaluation.valueOf(only.expr);
    if (isSecret(value) && value.type === 'bytes') return masked ? toBytes(MASK) : value.exposeBytes('file');
  }
  return toBytes(evaluation.text(nodes));
}

/** Gives the source text of a number literal, so that 12345678901234567890 is not rounded to a double. */
function sourceOf(source: string): (loc: Location) => string {
  let lines: readonly string[] | undefined;
  return ({ start, end }) => {
    lines ??= source.split(/\r\n?|\n/);
    return (lines[start.line - 1] ?? '').slice(start.column, end.column);
  };
}
