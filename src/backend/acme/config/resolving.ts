export { resolveAcme } from './resolve.ts';
export { TABLES } from './tables.ts';
