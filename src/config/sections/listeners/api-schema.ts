import * as z from 'zod/mini';
import { bool, choice, count, hostPort, id, mode, path, text } from '../../scalars.ts';

/** The keys of one listener. `resolve-api.ts` checks which go together. */
const keys = {
  socket: z.optional(path),
  mode: z.optional(mode),
  uid: z.optional(id),
  gid: z.optional(id),
  listen: z.optional(hostPort),
  tokenFile: z.optional(path),
  secrets: z.optional(z.array(text)),
  control: z.optional(bool),
  maxConnections: z.optional(count.check(z.maximum(10_000, { error: '10000 is the largest number' }))),
};

/** One listener of the local API. */
export const apiListener = z.strictObject(keys);

/** The keys of a listener beside `listeners` are the short form of a single one. */
export const api = z.strictObject({
  ...keys,
  listeners: z.optional(z.array(apiListener)),
  audit: z.optional(choice(['all', 'changes', 'off'])),
});
