import { isSecret } from '../../base/value.ts';
import { RenderFault } from '../template/fault.ts';
import { valueKind } from '../template/outcome.ts';
import { textOf, toBytes } from '../template/text.ts';
import type { Write } from './format.ts';
import { demandPicked } from './pick.ts';

/** Format raw: the exact bytes of one leaf, with nothing after them. */
export const writeRawFile: Write = ([source]) => {
  if (source === undefined) throw new TypeError('raw needs a source');
  const value = demandPicked(source);
  const name = source.from.join('.');
  if (!isSecret(value) || value.type === 'null') {
    const hint = isSecret(value) ? 'Store a value there.' : 'Name one of its fields, or use format: json.';
    throw new RenderFault('RENDER_NOT_TEXT', `${name} is ${valueKind(value)}`, { hint });
  }
  return value.type === 'bytes' ? value.exposeBytes('file') : toBytes(textOf(value, name));
};
