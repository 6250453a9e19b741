import type { Value } from '../../base/value.ts';
import { toBytes } from '../template/text.ts';
import { writeJson } from '../text/json.ts';
import type { Write } from './format.ts';
import { treeOf } from './tree.ts';

const INDENT = 2;

/** Format json: several lines, with a final newline. */
export const writeJsonFile: Write = (sources) => jsonFile(treeOf(sources));

export const jsonFile = (value: Value): Uint8Array => toBytes(`${writeJson(value, INDENT)}\n`);
