import type { ConfigEntry } from '../../load/entry.ts';
import { type ConfigTree, isTree } from '../../load/source-file.ts';
import { valueAt } from '../../place.ts';

/** What few outputs have: its code is loaded when one has it. */
export interface LateParts {
  readonly steps?: typeof import('./resolve-steps.ts') | undefined;
  readonly builtins?: typeof import('./resolve-builtin.ts') | undefined;
}

/** How the name of a template begins that Pannier ships. */
export const BUILTIN = 'builtin:';

/** Loads what is needed to resolve these outputs, whatever is wrong with them. */
export async function loadLateParts(entries: Iterable<ConfigEntry>): Promise<LateParts> {
  const outputs = [...entries].map(({ file, path }) => valueAt(file.tree, path)).filter(isTree);
  const [steps, builtins] = await Promise.all([
    outputs.some(hasSteps) ? import('./resolve-steps.ts') : undefined,
    outputs.some(hasBuiltin) ? import('./resolve-builtin.ts') : undefined,
  ]);
  return { steps, builtins };
}

const hasSteps = (output: ConfigTree) => ['reload', 'check', 'verify'].some((key) => output[key] !== undefined);

const hasBuiltin = ({ files }: ConfigTree) => isTree(files) && Object.values(files).some(isBuiltin);

function isBuiltin(file: unknown): boolean {
  const template = isTree(file) ? file['template'] : undefined;
  return typeof template === 'string' && template.startsWith(BUILTIN);
}
