import type { FormatName } from '../../config/config.ts';
import { writeDotenvFile } from './dotenv.ts';
import type { Write } from './format.ts';
import { jsonFile } from './json.ts';
import { keysOf } from './keys.ts';
import { writePropertiesFile } from './properties.ts';
import { yamlFile } from './yaml.ts';

export { writeVariables } from './variables.ts';

/** The fields of all sources in one map. */
const flatMap = (...[sources, options]: Parameters<Write>) =>
  new Map(keysOf(sources, options).map(({ key, value }) => [key, value]));

/** The formats whose file is a list of keys, json and yaml with `flat: true` among them. */
export const KEYED: Readonly<Partial<Record<FormatName, Write>>> = {
  dotenv: writeDotenvFile,
  properties: writePropertiesFile,
  json: (...given) => jsonFile(flatMap(...given)),
  yaml: (...given) => yamlFile(flatMap(...given)),
};
