export { resolveKubernetes } from './resolve.ts';
export { resolveKubernetesRequest } from './resolve-request.ts';
export { TABLES } from './tables.ts';
