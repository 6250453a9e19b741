import type { FormatOptions } from '../../config/config.ts';
import type { PickedSource } from './pick.ts';

/** Writes a file of its sources; the options are those that fit the format. @throws RenderFault */
export type Write = (sources: readonly PickedSource[], options: FormatOptions) => Uint8Array;
