import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { path, text } from '../../config/scalars.ts';
import type { BackendKind } from '../kind.ts';
import type { FileBackendConfig, FileRequest } from './config.ts';

const schema = z.strictObject({
  kind: z.literal('file'),
  path,
});

/** A YAML, JSON or .env file, or a directory of them, on this machine. */
export const file: BackendKind<FileBackendConfig> = {
  kind: 'file',
  schema,
  resolve: (name, shape: z.infer<typeof schema>, entry) => ({
    kind: 'file',
    name,
    path: resolve(entry.file.dir, shape.path),
  }),
  requestKeys: { key: z.optional(text) },
  companionKeys: {},
  resolveRequest: ({ key }: { readonly key: string }): FileRequest => ({ kind: 'file', key }),
  credentialVariables: [],
  open: async (config, opening) => (await import('./backend.ts')).createFileBackend(config, opening),
};
