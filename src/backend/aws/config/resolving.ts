export { resolveAws } from './resolve.ts';
export { TABLES } from './tables.ts';
