import type { ComputedLookup, View } from './template/evaluate.ts';
import type { SecretCall } from './template/nodes.ts';

/** One file of the output, ready to be rendered any number of times. */
export interface RenderFile {
  readonly name: string;
  readonly place: string;
  /** What messages call the template: its path, `content`, or `builtin:NAME`. */
  readonly origin: string;
  readonly wants: readonly string[];
  readonly asks: readonly SecretCall[];
  /** The bytes of the file, or of each of the variables that whole secrets give. @throws RenderFault */
  readonly render: (
    view: View,
    lookUp: ComputedLookup,
    masked: boolean,
  ) => Uint8Array | ReadonlyMap<string, Uint8Array>;
}
