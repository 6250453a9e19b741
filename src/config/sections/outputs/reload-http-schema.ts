import * as z from 'zod/mini';
import { path, positiveDuration, text } from '../../scalars.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** A URL. Messages about it never show it, since it may hold a credential by mistake. */
const url = text.check(z.refine((value) => wrongUrl(value) === undefined, { error: ({ input }) => wrongUrl(input) }));

const status = z
  .int({ error: 'a status such as 200 is expected' })
  .check(
    z.minimum(200, { error: 'a final status is 200 at least' }),
    z.maximum(599, { error: 'a status is 599 at most' }),
  );

/** Headers that Node writes itself, or that would change where the message ends or what it means. */
const WRITTEN_BY_NODE: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The name of a header field: https://www.rfc-editor.org/rfc/rfc9110#name-field-names. */
const headerName = z.string().check(
  z.regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, {
    error: 'the name of a header is made of letters, digits and -',
    abort: true,
  }),
  z.refine((name) => !WRITTEN_BY_NODE.has(name.toLowerCase()), { error: 'this header is written by the agent itself' }),
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

function wrongUrl(input: unknown): string | undefined {
  const expected = 'http://HOST:PORT/PATH or https://… is expected';
  const value = String(input);
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return `it is not an http address; ${expected}`;
  const { username, password } = new URL(value);
  if (username !== '' || password !== '') return 'it holds a user or a password; credentials belong in headers';
  return value.includes('#') ? `it holds a fragment; ${expected}` : undefined;
}
