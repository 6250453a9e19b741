import { posix } from 'node:path';

/** A path as the kubelet takes it: without `.`, `..`, double slashes and a slash at the end. */
export const mountPathOf = (path: string): string => posix.normalize(path).replace(/(?<=.)\/$/, '');
