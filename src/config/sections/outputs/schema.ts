import * as z from 'zod/mini';
import { bool, choice, count, duration, id, MAX_KEPT, mode, path, text } from '../../scalars.ts';
import { check, verify } from './check-schema.ts';
import { reload } from './reload-schema.ts';

const literal = z.union([z.string(), z.number(), z.boolean()], { error: 'text, a number or a boolean is expected' });

/** A source of a format, or several. */
export const sources = z.union([text, z.array(text)], { error: 'a name, or a list of names, is expected' });

/** How fields become keys; of every format that is a list of keys, and of the environment of exec. */
export const keyOptions = {
  prefix: z.optional(z.string({ error: 'text is expected' })),
  case: z.optional(choice(['upper', 'lower'])),
  rename: z.optional(z.record(z.string(), text)),
  keys: z.optional(choice(['identifier'])),
};

const PARTS = ['key', 'leaf', 'intermediates', 'root', 'ca', 'fullchain'] as const;
const part = choice(PARTS);

/**
 * One file of an output. `resolve-file.ts` checks that it has exactly one of template, content and format,
 * `resolve-format.ts` which keys go with which format, and `resolve-inputs.ts` what `with` and `values` may name.
 */
export const outputFile = z.strictObject({
  template: z.optional(path),
  content: z.optional(z.string({ error: 'text is expected' })),
  with: z.optional(z.record(z.string(), text)),
  values: z.optional(z.record(z.string(), literal)),
  format: z.optional(choice(['dotenv', 'json', 'properties', 'raw', 'yaml', 'pem', 'der', 'pkcs12', 'truststore'])),
  from: z.optional(sources),
  ...keyOptions,
  for: z.optional(choice(['sh', 'docker', 'node', 'python', 'systemd', 'kubelet'])),
  flat: z.optional(bool),
  parts: z.optional(
    z.union([part, z.array(part)], { error: `one of ${PARTS.join(', ')}, or a list of these, is expected` }),
  ),
  keyFormat: z.optional(choice(['pkcs8', 'pkcs1', 'sec1'])),
  password: z.optional(text),
  alias: z.optional(text),
  mode: z.optional(mode),
  uid: z.optional(id),
  gid: z.optional(id),
});

/** Files in one directory that change together. */
export const output = z.strictObject({
  dir: path,
  mode: z.optional(mode),
  dirMode: z.optional(mode),
  uid: z.optional(id),
  gid: z.optional(id),
  requireTmpfs: z.optional(bool),
  quiet: z.optional(duration),
  maxWait: z.optional(duration),
  reloadOnFirst: z.optional(bool),
  keep: z.optional(count.check(z.maximum(MAX_KEPT, { error: `at most ${MAX_KEPT} are kept` }))),
  reloadSpread: z.optional(duration),
  files: z.record(z.string(), outputFile),
  check: z.optional(check),
  reload: z.optional(z.array(reload)),
  verify: z.optional(verify),
  drift: z.optional(choice(['restore', 'report'])),
});
