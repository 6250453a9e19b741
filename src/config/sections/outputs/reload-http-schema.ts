import * as z from 'zod/mini';
import { RULES, wrongUrl } from '../../rules.ts';
import { path, positiveDuration, text } from '../../scalars.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** A URL. Messages about it never show it, since it may hold a credential by mistake. */
const url = text.check(z.refine(RULES.isUrl, { error: ({ input }) => wrongUrl(String(input)) }));

const status = z
  .int({ error: 'a status such as 200 is expected' })
  .check(
    z.minimum(200, { error: 'a final status is 200 at least' }),
    z.maximum(599, { error: 'a status is 599 at most' }),
  );

/** The name of a header field: https://www.rfc-editor.org/rfc/rfc9110#name-field-names. */
const headerName = z.string().check(
  z.regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, {
    error: 'the name of a header is made of letters, digits and -',
    abort: true,
  }),
  z.refine(RULES.isHeaderToSet, { error: 'this header is written by the agent itself' }),
);

/** One request to the application. Headers and body are templates. */
export const http = z.strictObject({
  method: z.optional(z.enum(METHODS)),
  url,
  socket: z.optional(path),
  expect: z.optional(z.array(status).check(z.minLength(1, { error: 'at least one status is expected' }))),
  headers: z.optional(z.record(headerName, z.string({ error: 'text is expected' }), { error: 'a map is expected' })),
  body: z.optional(z.string({ error: 'text is expected' })),
  caFile: z.optional(path),
  timeout: z.optional(positiveDuration),
});
