import type { Value } from '../../base/value.ts';
import { toBytes } from '../template/text.ts';
import { writeYaml } from '../text/yaml.ts';
import type { Write } from './format.ts';
import { treeOf } from './tree.ts';

/** Format yaml: block style, with a final newline. */
export const writeYamlFile: Write = (sources) => yamlFile(treeOf(sources));

export const yamlFile = (value: Value): Uint8Array => toBytes(`${writeYaml(value)}\n`);
