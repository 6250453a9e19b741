import { compileMain, evaluateMain, readBytecode } from './cli/load-main.ts';

/** A hash of `main.js`, put in by the bundler. */
declare const PANNIER_BUILD: string;

/** What `import … from 'pannier'` finds: the names of index.ts, out of the one bundle that the program is made of. */
const dist = import.meta.dirname;
const { library } = evaluateMain(compileMain(dist, readBytecode(dist, PANNIER_BUILD)), dist);
export const { exportJsonSchema, formatFailure, init, load, PannierError, ProblemsError, run, version } =
  await library();
