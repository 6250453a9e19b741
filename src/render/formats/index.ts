import type { FormatName } from '../../config/config.ts';
import { writeDotenvFile } from './dotenv.ts';
import type { Write } from './format.ts';
import { writeJsonFile } from './json.ts';
import { writePropertiesFile } from './properties.ts';
import { writeRawFile } from './raw.ts';
import { writeYamlFile } from './yaml.ts';

/** Every format by name. */
export const FORMATS: Readonly<Record<FormatName, Write>> = {
  dotenv: writeDotenvFile,
  json: writeJsonFile,
  properties: writePropertiesFile,
  raw: writeRawFile,
  yaml: writeYamlFile,
};
