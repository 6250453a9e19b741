import { isFields, type Value } from '../../base/value.ts';
import type { InputConfig, InputSource } from '../../config/config.ts';
import { pick } from '../formats/pick.ts';
import type { View } from './evaluate.ts';
import { RenderFault } from './fault.ts';
import { valueKind } from './outcome.ts';

/** What `with` and `values` call by names of the template's own. */
export type TemplateInputs = ReadonlyMap<string, InputConfig>;

/** The secrets that a name of a template is made of: itself, unless it is an input. */
export function secretsBehind(name: string, inputs: TemplateInputs): readonly string[] {
  const input = inputs.get(name);
  if (input === undefined) return [name];
  const sources = [...(input.is === undefined ? [] : [input.is]), ...input.fields.map(([, source]) => source)];
  return sources.flatMap((source) => (source.kind === 'secret' ? [source.from[0] as string] : []));
}

/** The view of a template: its inputs, and behind them all secrets. Each input is put together once. */
export function withInputs(inputs: TemplateInputs, view: View): View {
  const made = new Map<string, Value | undefined>();
  return (name) => {
    const input = inputs.get(name);
    if (input === undefined) return view(name);
    if (!made.has(name)) made.set(name, make(name, input, view));
    return made.get(name);
  };
}

/** Undefined when what it stands for is an optional secret that is absent, whatever fields are put over that. */
function make(name: string, { is, fields }: InputConfig, view: View): Value | undefined {
  const whole = is === undefined ? new Map<string, Value>() : sourceValue(is, view);
  if (whole === undefined || fields.length === 0) return whole;
  if (!isFields(whole)) {
    const seen = `${name} is ${valueKind(whole)}, and ${name}.${fields[0]?.[0]} wants to be a field of it`;
    throw new RenderFault('RENDER_BAD_ARGUMENT', seen, { hint: 'Correct with and values of the file.' });
  }
  const over = fields.flatMap(([field, source]) => {
    const value = sourceValue(source, view);
    return value === undefined ? [] : [[field, value] as const];
  });
  return new Map([...whole, ...over]);
}

const sourceValue = (source: InputSource, view: View): Value | undefined =>
  source.kind === 'value' ? source.value : pick(source.from, view).value;
