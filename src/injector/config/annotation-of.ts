import type { ConfigParts } from '../settings.ts';

const NAME = String.raw`(?:\.([\w-]+)|\["([^"]*)"\])`;
const SECRET = new RegExp(`^secrets${NAME}`);
const FILE = new RegExp(String.raw`^outputs\.files\.files${NAME}`);

/** Parts of the configuration that one annotation makes, by how their places begin. */
const OTHERS = [
  ['outputs.files.reload', 'reload'],
  ['outputs.files.dir', 'volume-path'],
  ['backends.vault.address', 'address'],
  ['backends.vault.namespace', 'namespace'],
  ['backends.vault.auth.mount', 'auth-mount'],
  ['backends.vault.auth.role', 'role'],
] as const;

/** The annotation, without its prefix, that a problem is of: `outputs.files.files["app.env"].format: what is wrong`. */
export function annotationOfPart(problem: string, parts: ConfigParts): string {
  const [, secret = SECRET.exec(problem)?.[2]] = SECRET.exec(problem) ?? [];
  if (secret !== undefined) return `secret-${secret}`;
  const [, file = FILE.exec(problem)?.[2]] = FILE.exec(problem) ?? [];
  if (file !== undefined) return `file-${file}`;
  const found = OTHERS.find(([begin]) => problem.startsWith(begin));
  return found?.[1] ?? `secret-${[...parts.secrets.keys()][0] ?? 'NAME'}`;
}
