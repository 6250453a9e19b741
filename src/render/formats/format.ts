import type { FormatOptions } from '../../config/config.ts';
import type { PickedSource } from './pick.ts';

/** Writes a file from its sources, with options that the configuration has checked. @throws RenderFault */
export type Write = (sources: readonly PickedSource[], options: FormatOptions) => Uint8Array;
