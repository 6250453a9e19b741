import { distFolder, loadMain } from './cli/load-main.ts';

/** A hash of the scripts, put in by the bundler. */
declare const PANNIER_BUILD: string;

/** What `import … from 'pannier'` finds: the names of index.ts, out of the one bundle that the program is made of. */
const { library } = loadMain(distFolder(import.meta.dirname, PANNIER_BUILD));
export const { exportJsonSchema, formatFailure, init, load, PannierError, ProblemsError, run, version } =
  await library();
