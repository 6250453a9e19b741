import * as z from 'zod/mini';
import { bool, hostPort, id, mode, path } from '../../scalars.ts';

/** Where health, metrics and the status page are. `resolve-admin.ts` checks that it is either a socket or a port. */
export const admin = z.strictObject({
  listen: z.optional(hostPort),
  socket: z.optional(path),
  mode: z.optional(mode),
  uid: z.optional(id),
  gid: z.optional(id),
  page: z.optional(bool),
});
