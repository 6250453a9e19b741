import * as z from 'zod/mini';
import { RULES } from '../../rules.ts';
import { bool, count, hostPort, id, mode, path, positiveDuration, text } from '../../scalars.ts';

/** A client that reaches the port gets the agent's login, so only clients on this machine may. */
const loopback = hostPort.check(
  z.refine(RULES.isOnThisMachine, {
    error: 'only this machine may reach it: 127.0.0.1, [::1] or localhost is expected',
  }),
);

const cache = z.strictObject({
  maxEntries: z.optional(count),
  maxBytes: z.optional(count),
  staticKv: z.optional(z.strictObject({ maxStale: z.optional(positiveDuration) })),
});

/** `resolve-proxy.ts` checks that there is a socket or a port. */
export const proxy = z.strictObject({
  socket: z.optional(path),
  mode: z.optional(mode),
  uid: z.optional(id),
  gid: z.optional(id),
  listen: z.optional(loopback),
  backend: z.optional(text),
  useAutoAuthToken: z.optional(z.literal([true, false, 'force'], { error: 'true, false or force is expected' })),
  useClientCertificate: z.optional(bool),
  requireRequestHeader: z.optional(bool),
  namespaceAsRoot: z.optional(bool),
  quit: z.optional(bool),
  cache: z.optional(cache),
});
