import { resolve } from 'node:path';
import type { BackendKind } from '../kind.ts';
import type { FileBackendConfig, FileRequest } from './config.ts';
import type { FileShape } from './schemas.ts';

/** A YAML, JSON or .env file, or a directory of them, on this machine. */
export const file: BackendKind<FileBackendConfig> = {
  kind: 'file',
  loadSchemas: async () => (await import('./schemas.ts')).schemas,
  loadWords: async () => (await import('./words.ts')).fileWords,
  resolve: (name, shape: FileShape, entry) => ({
    kind: 'file',
    name,
    path: resolve(entry.file.dir, shape.path),
  }),
  requestKeys: ['key'],
  companionKeys: {},
  resolveRequest: ({ key }: { readonly key: string }): FileRequest => ({ kind: 'file', key }),
  credentialVariables: [],
  loadTools: () => import('./examine.ts'),
  open: async (config, opening) => (await import('./backend.ts')).createFileBackend(config, opening),
};
