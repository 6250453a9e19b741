import type { FormatOptions } from '../../config/config.ts';
import { RenderFault, throwAll } from '../template/fault.ts';
import { toBytes } from '../template/text.ts';
import { flatText, invalidNames, type KeyedField, listed, readKeys, whoseField } from './keys.ts';
import type { PickedSource } from './pick.ts';

/**
 * Variables that say which programs and libraries the child loads, or that hold commands, which a shell that the child
 * starts carries out: bash takes a function from `BASH_FUNC_ls%%`, and the commands in `BASH_ENV` and `PS4` are
 * expanded. Whoever writes a secret may not say that.
 */
const LOADER = /^(?:PATH|LD_.+|DYLD_.+|GCONV_PATH|BASH_ENV|BASH_FUNC_.+|BASHOPTS|SHELLOPTS|PS4)$/;

/**
 * The variables that whole secrets give to the child of exec, each with the text that dotenv would give it.
 * @param isTaken names that `exec.env` gives, which win.
 * @throws RenderFault with everything that is wrong with any of them.
 */
export function writeVariables(
  sources: readonly PickedSource[],
  options: FormatOptions,
  isTaken: (name: string) => boolean,
): ReadonlyMap<string, Uint8Array> {
  const { keys, faults } = readKeys(sources, options, isTaken);
  const instead = options.names === 'any' ? [] : (['names: any'] as const);
  const refused = [...faults, ...invalidNames(keys, options, instead), ...loaders(keys)];
  const variables = new Map<string, Uint8Array>();
  for (const entry of keys) {
    try {
      variables.set(entry.key, toBytes(flatText(entry)));
    } catch (error) {
      if (!(error instanceof RenderFault)) throw error;
      refused.push(error);
    }
  }
  throwAll(refused);
  return variables;
}

function loaders(keys: readonly KeyedField[]): RenderFault[] {
  const wrong = keys.filter(({ key }) => LOADER.test(key));
  if (wrong.length === 0) return [];
  const seen = `${listed(wrong.map(whoseField))} would say what the child loads or runs`;
  return [new RenderFault('RENDER_KEY', seen, { hint: 'Rename it, or give the variable in exec.env.' })];
}
