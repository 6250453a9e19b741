import * as z from 'zod/mini';
import type { BackendKind } from '../../../src/backend/kind.ts';
import { parseDuration } from '../../../src/base/duration.ts';
import { Secret } from '../../../src/base/secret.ts';
import { positiveDuration, text } from '../../../src/config/scalars.ts';
import type { ShelfConfig, ShelfRequest } from './config.ts';

const schema = z.strictObject({
  kind: z.literal('shelf'),
  address: text,
  token: z.optional(text),
  timeout: z.optional(positiveDuration),
});

/** A shelf: an HTTP server with a secret per path. */
export const shelf: BackendKind<ShelfConfig> = {
  kind: 'shelf',
  schema,
  resolve(name, shape: z.infer<typeof schema>, { file, path }, { env, problems }) {
    const token = shape.token ?? env['SHELF_TOKEN'];
    if (token === undefined) {
      problems.add('CONFIG_MISSING', file, [...path, 'token'], 'absent', 'Add it, or set SHELF_TOKEN.');
      return undefined;
    }
    const timeoutMs = shape.timeout === undefined ? 10_000 : (parseDuration(shape.timeout) as number);
    return { kind: 'shelf', name, address: shape.address, token: Secret.text(token), timeoutMs };
  },
  requestKeys: { book: z.optional(text) },
  companionKeys: {},
  resolveRequest: ({ book }: { readonly book: string }): ShelfRequest => ({ kind: 'shelf-book', book }),
  credentialVariables: ['SHELF_TOKEN'],
  open: async (config, context) => (await import('./backend.ts')).createShelfBackend(config, context),
};
