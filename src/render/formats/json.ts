import { toBytes } from '../template/text.ts';
import { writeJson } from '../text/json.ts';
import type { Write } from './format.ts';
import { treeOf } from './tree.ts';

const INDENT = 2;

/** Format json: several lines, with a final newline. */
export const writeJsonFile: Write = (sources, options) => toBytes(`${writeJson(treeOf(sources, options), INDENT)}\n`);
