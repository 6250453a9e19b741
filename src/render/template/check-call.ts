import { argumentsOf, BadArgument } from '../helpers/helper.ts';
import { RenderFault } from './fault.ts';
import type { HelperCall } from './nodes.ts';

/** Checks of a helper call what needs no value: the number of arguments, the names of options, the literals. */
export function* problemsOfCall({ name, helper, args, options, at }: HelperCall): Generator<RenderFault> {
  const problem = (seen: string, hint?: string) => new RenderFault('TEMPLATE_BAD_ARGUMENT', seen, { hint, at });
  const { words, lastRepeats } = argumentsOf(helper);
  if (args.length < words.length || (args.length > words.length && !lastRepeats)) {
    const field = args.length === 0 ? ` A field of that name is {{this.${name}}}.` : '';
    yield problem(`${name} is called with ${args.length} arguments`, `Write {{${helper.usage}}}.${field}`);
  }
  const known = helper.options ?? [];
  const unknown = options.find(([key]) => !known.includes(key))?.[0];
  if (unknown !== undefined) {
    yield problem(
      `${name} has no option ${unknown}`,
      known.length === 0 ? undefined : `It takes ${known.join(' and ')}.`,
    );
  }
  const given = [...args.map((arg, i) => [words[i] ?? '', arg] as const), ...options];
  for (const [word, expr] of given) {
    if (expr.kind !== 'literal') continue;
    try {
      helper.checks?.[word]?.(expr.value);
    } catch (error) {
      if (!(error instanceof BadArgument)) throw error;
      yield problem(`${name} ${error.message}`);
    }
  }
}
