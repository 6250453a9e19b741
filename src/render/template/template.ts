import { isSecret } from '../../base/value.ts';
import { analyse, type FieldUse, type KnownNames } from './analyse.ts';
import { type AskedValue, Evaluation, type View } from './evaluate.ts';
import { RenderFault } from './fault.ts';
import { goHint } from './go-syntax.ts';
import { MASK } from './mask.ts';
import type { TemplateNode } from './nodes.ts';
import { type Location, parseTemplate, SyntaxFault } from './parse.ts';
import { toBytes } from './text.ts';

/** A template, parsed and analysed; its source is not kept. */
export interface Template {
  /** Every place where a field of a secret is named. */
  readonly uses: readonly FieldUse[];
  /** Backends that it asks by computed paths. */
  readonly asks: readonly string[];
  /** Everything wrong with it; one that has problems is not rendered. */
  readonly problems: readonly RenderFault[];
  /** @throws RenderFault */
  render(view: View, answer?: AskedValue, masked?: boolean): Uint8Array;
}

/** Parses and analyses. Never throws for what the template says: that is in `problems`. */
export async function readTemplate(source: string, known: KnownNames): Promise<Template> {
  try {
    const program = await parseTemplate(source);
    const { nodes, uses, asks, problems } = analyse(program, known, sourceOf(source));
    return {
      uses,
      asks,
      problems: problems.map((fault) => explained(fault, source)),
      render: (view, answer, masked) => renderNodes(nodes, new Evaluation(view, answer, masked), masked),
    };
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    const problems = [explained(new RenderFault('TEMPLATE_SYNTAX', error.message, { at: error.at }), source)];
    return { uses: [], asks: [], problems, render: () => new Uint8Array() };
  }
}

/** Whoever comes from Vault Agent is told what its language has become here. */
function explained(fault: RenderFault, source: string): RenderFault {
  const hint = fault.at === undefined ? undefined : goHint(source, fault.at);
  return hint === undefined ? fault : new RenderFault(fault.code, fault.message, { hint, at: fault.at });
}

function renderNodes(nodes: readonly TemplateNode[], evaluation: Evaluation, masked = false): Uint8Array {
  const [only] = nodes;
  // A template that is one call and nothing else, such as {{base64decode app.keystore}}, may give any bytes.
  if (nodes.length === 1 && typeof only === 'object' && only.kind === 'put' && only.what.kind === 'call') {
    const value = evaluation.valueOf(only.what);
    if (isSecret(value) && value.type === 'bytes') return masked ? toBytes(MASK) : value.exposeBytes('file');
  }
  return toBytes(evaluation.text(nodes));
}

/** Gives the source text at a location on one line: 12345678901234567890 must not go through a double. */
function sourceOf(source: string): (loc: Location) => string {
  let lines: readonly string[] | undefined;
  return ({ start, end }) => {
    lines ??= source.split(/\r\n?|\n/);
    return (lines[start.line - 1] ?? '').slice(start.column, end.column);
  };
}
