import { isFields, type Value } from '../../base/value.ts';
import type { InputConfig, InputSource } from '../../config/config.ts';
import { pick } from '../formats/pick.ts';
import type { View } from './evaluate.ts';
import { RenderFault } from './fault.ts';
import { valueKind } from './outcome.ts';

/** The names that `with` and `values` of a file give to its template, and what each stands for. */
export type TemplateInputs = ReadonlyMap<string, InputConfig>;

/** The secrets that a name in a template needs: those of the input of that name, else the secret of that name. */
export function secretsBehind(name: string, inputs: TemplateInputs): readonly string[] {
  const input = inputs.get(name);
  if (input === undefined) return [name];
  const sources = [...(input.is === undefined ? [] : [input.is]), ...input.fields.map(([, source]) => source)];
  return sources.flatMap((source) => (source.kind === 'secret' ? [source.from[0] as string] : []));
}

/** The view of one template: its inputs hide secrets of the same names. Each input is built once. */
export function withInputs(inputs: TemplateInputs, view: View): View {
  const built = new Map<string, Value | undefined>();
  return (name) => {
    const input = inputs.get(name);
    if (input === undefined) return view(name);
    if (!built.has(name)) built.set(name, buildInput(name, input, view));
    return built.get(name);
  };
}

/**
 * The value of an input: what `with` says it is, with single fields put into that. Undefined when it is an optional
 * secret that is absent, whatever fields are put into it.
 * @throws RenderFault RENDER_BAD_ARGUMENT when it is not a map and fields are put into it.
 */
function buildInput(name: string, { is, fields }: InputConfig, view: View): Value | undefined {
  const whole = is === undefined ? new Map<string, Value>() : sourceValue(is, view);
  if (whole === undefined || fields.length === 0) return whole;
  if (!isFields(whole)) {
    const seen = `${name} is ${valueKind(whole)}, so ${name}.${fields[0]?.[0]} cannot be put into it`;
    throw new RenderFault('RENDER_BAD_ARGUMENT', seen, { hint: 'Correct with and values of the file.' });
  }
  const given = fields.flatMap(([field, source]) => {
    const value = sourceValue(source, view);
    return value === undefined ? [] : [[field, value] as const];
  });
  return new Map([...whole, ...given]);
}

const sourceValue = (source: InputSource, view: View): Value | undefined =>
  source.kind === 'value' ? source.value : pick(source.from, view).value;
