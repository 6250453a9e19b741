import * as z from 'zod/mini';
import { RULES } from '../../rules.ts';
import { bool, count, hostPort, id, mode, path, positiveDuration, text } from '../../scalars.ts';

/** The port shows private keys, so only clients on this machine may reach it. */
const loopback = hostPort.check(
  z.refine(RULES.isOnThisMachine, {
    error: 'only this machine may reach it: 127.0.0.1, [::1] or localhost is expected',
  }),
);

/** What a client asks for: Envoy sets no rule, so a name is what can be read in a log. */
const name = z
  .string()
  .check(z.regex(/^[!-~]{1,253}$/, { error: 'a name of 1 to 253 characters without spaces is expected' }));

/** One of `match`. `resolve.ts` checks that exactly one kind of name is given. */
const matcher = z.strictObject({
  dns: z.optional(text),
  uri: z.optional(text),
  email: z.optional(text),
  ip: z.optional(text),
  by: z.optional(
    z.enum(['exact', 'prefix', 'suffix', 'contains'], { error: 'one of exact, prefix, suffix, contains is expected' }),
  ),
});

/** A secret of Envoy that is no certificate. `resolve.ts` checks which keys go together. */
export const sdsSecret = z.strictObject({
  certificate: z.optional(text),
  trust: z.optional(text),
  match: z.optional(z.array(matcher)),
  crl: z.optional(text),
  crlOfLeafOnly: z.optional(bool),
  maxDepth: z.optional(count.check(z.maximum(100, { error: '100 is the largest number' }))),
  generic: z.optional(text),
  sessionTickets: z.optional(
    z.strictObject({
      rotate: z.optional(positiveDuration),
      keep: z.optional(count.check(z.maximum(16, { error: '16 is the largest number' }))),
    }),
  ),
});

const onDemand = z.strictObject({
  match: z.union([text, z.array(text)], { error: 'a pattern such as *.shop.svc, or a list of them, is expected' }),
  backend: z.optional(text),
  certificate: z.record(z.string(), z.unknown()),
  max: z.optional(count.check(z.maximum(100_000, { error: '100000 is the largest number' }))),
});

export const sds = z.strictObject({
  socket: z.optional(path),
  mode: z.optional(mode),
  uid: z.optional(id),
  gid: z.optional(id),
  listen: z.optional(loopback),
  tokenFile: z.optional(path),
  maxStreams: z.optional(count.check(z.maximum(100_000, { error: '100000 is the largest number' }))),
  secrets: z.optional(z.record(name, z.union([text, sdsSecret]))),
  onDemand: z.optional(onDemand),
});
