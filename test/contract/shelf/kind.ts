import type { BackendKind } from '../../../src/backend/kind.ts';
import { parseDuration } from '../../../src/base/duration.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { ShelfConfig, ShelfRequest } from './config.ts';
import type { ShelfShape } from './schemas.ts';

/** A shelf: an HTTP server with a secret per path. */
export const shelf: BackendKind<ShelfConfig> = {
  kind: 'shelf',
  loadSchemas: async () => (await import('./schemas.ts')).schemas,
  resolve(name, shape: ShelfShape, { file, path }, { env, problems }) {
    const token = shape.token ?? env['SHELF_TOKEN'];
    if (token === undefined) {
      problems.add('CONFIG_MISSING', file, [...path, 'token'], 'absent', 'Add it, or set SHELF_TOKEN.');
      return undefined;
    }
    const timeoutMs = shape.timeout === undefined ? 10_000 : (parseDuration(shape.timeout) as number);
    return { kind: 'shelf', name, address: shape.address, token: Secret.text(token), timeoutMs };
  },
  requestKeys: ['book'],
  companionKeys: {},
  resolveRequest: ({ book }: { readonly book: string }): ShelfRequest => ({ kind: 'shelf-book', book }),
  credentialVariables: ['SHELF_TOKEN'],
  open: async (config, context) => (await import('./backend.ts')).createShelfBackend(config, context),
};
