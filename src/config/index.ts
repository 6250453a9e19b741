export type * from './config.ts';
export { type LoadOptions, loadConfig } from './load.ts';
