import * as z from 'zod/mini';
import { hostPort, id, mode, path } from '../../scalars.ts';

/** Where health and metrics are served. That there is exactly one place is checked in `resolve-admin.ts`. */
export const admin = z.strictObject({
  listen: z.optional(hostPort),
  socket: z.optional(path),
  mode: z.optional(mode),
  uid: z.optional(id),
  gid: z.optional(id),
});
