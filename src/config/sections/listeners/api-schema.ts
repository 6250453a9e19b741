import * as z from 'zod/mini';
import { bool, choice, count, duration, hostPort, id, mode, path, positiveDuration, text } from '../../scalars.ts';

/** A name of a header, as RFC 9110 has it. */
const headerName = z
  .string({ error: 'the name of a header is expected' })
  .check(z.regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, { error: 'the name of a header is expected' }));

/** A listener that speaks the API of the AWS agent. `resolve-aws.ts` checks which keys go together. */
const aws = z.strictObject({
  onDemand: z.optional(bool),
  backend: z.optional(text),
  allow: z.optional(z.array(text)),
  parameters: z.optional(z.array(text)),
  roleArns: z.optional(z.array(text)),
  ttl: z.optional(duration),
  maxEntries: z.optional(count.check(z.maximum(10_000, { error: '10000 is the largest number' }))),
  maxStale: z.optional(positiveDuration),
  pathPrefix: z.optional(text),
  tokenHeaders: z.optional(z.array(headerName).check(z.minLength(1, { error: 'a header is expected' }))),
});

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
  aws: z.optional(aws),
};

/** One listener of the local API. */
export const apiListener = z.strictObject(keys);

/** The keys of a listener beside `listeners` are the short form of a single one. */
export const api = z.strictObject({
  ...keys,
  listeners: z.optional(z.array(apiListener)),
  audit: z.optional(choice(['all', 'changes', 'off'])),
});
