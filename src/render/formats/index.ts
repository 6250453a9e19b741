import { writeDotenvFile } from './dotenv.ts';
import { writeJsonFile } from './json.ts';
import type { Picked } from './pick.ts';
import { writeRawFile } from './raw.ts';

/** How each ready-made format writes its sources. @throws RenderFault */
export const FORMATS: Readonly<Record<'dotenv' | 'json' | 'raw', (sources: readonly Picked[]) => Uint8Array>> = {
  dotenv: writeDotenvFile,
  json: writeJsonFile,
  raw: writeRawFile,
};
