import type { FormatName, FormatOptions } from '../../config/config.ts';
import { writeDotenvFile } from './dotenv.ts';
import { writeJsonFile } from './json.ts';
import type { Picked } from './pick.ts';
import { writePropertiesFile } from './properties.ts';
import { writeRawFile } from './raw.ts';
import { writeYamlFile } from './yaml.ts';

/** Writes a file of its sources; the options are those that fit the format. @throws RenderFault */
export type Write = (sources: readonly Picked[], options: FormatOptions) => Uint8Array;

export const FORMATS: Readonly<Record<FormatName, Write>> = {
  dotenv: writeDotenvFile,
  json: writeJsonFile,
  properties: writePropertiesFile,
  raw: writeRawFile,
  yaml: writeYamlFile,
};
