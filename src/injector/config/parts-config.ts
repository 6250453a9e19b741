import * as yaml from 'yaml';
import { readYaml } from '../../config/load/parse-yaml.ts';
import { PREFIX } from '../annotations/known.ts';
import { isMap } from '../pod/json.ts';
import { CA_FILE, type ConfigParts, TOKEN_FILE } from '../settings.ts';
import type { Wrong } from '../wrong.ts';
import { ValueCount } from './value-count.ts';

/** Who reads the files: the agent's own user, the group of the pod's volumes, or anybody who mounts them. */
export type Readers = { readonly kind: 'user' | 'all' } | { readonly kind: 'group'; readonly gid: number };

/** The configuration that is written in annotations of its parts. */
export function configOfParts(parts: ConfigParts, readers: Readers, hasCa: boolean, wrong: Wrong[]): string {
  const values = new ValueCount(wrong);
  const read = (name: string, text: string) => yamlIn(name, text, values, wrong);
  const secrets = [...parts.secrets].map(([name, text]) => [name, read(`secret-${name}`, text)] as const);
  const files = [...parts.files].map(([name, text]) => [name, read(`file-${name}`, text)] as const);
  const reload = parts.reload === undefined ? undefined : read('reload', parts.reload);
  return yaml.stringify({
    version: 1,
    backends: {
      vault: {
        kind: 'vault',
        address: parts.address,
        namespace: parts.namespace,
        tls: hasCa ? { caFile: CA_FILE } : undefined,
        auth: { method: 'kubernetes', mount: parts.authMount, role: parts.role, tokenFile: TOKEN_FILE },
      },
    },
    secrets: Object.fromEntries(secrets),
    outputs: {
      files: {
        dir: parts.dir,
        requireTmpfs: true,
        ...modesFor(readers),
        files: Object.fromEntries(files),
        reload: reload === undefined || Array.isArray(reload) ? reload : [reload],
      },
    },
  });
}

/** The directory can be entered by whoever may read its files. */
function modesFor(readers: Readers): object {
  if (readers.kind === 'user') return { mode: '0400' };
  return readers.kind === 'group'
    ? { mode: '0440', gid: readers.gid, dirMode: '0750' }
    : { mode: '0444', dirMode: '0755' };
}

/** The map or the list that an annotation holds in YAML. */
function yamlIn(name: string, text: string, values: ValueCount, wrong: Wrong[]): unknown {
  if (values.isTooMany) return {};
  const { tree, errors, repeated, count } = readYaml(yaml, text, 0);
  const { line, column, message = 'a key is in its map already' } = errors[0] ?? { ...repeated[0], message: undefined };
  const where = `${PREFIX}${name}`;
  if (values.add(count, where)) return {};
  if (line !== undefined) {
    wrong.push({ where, seen: `is not valid YAML: line ${line}, column ${column}: ${message}` });
  } else if (isMap(tree) || (name === 'reload' && Array.isArray(tree))) return tree;
  else wrong.push({ where, seen: 'must be a map in YAML, such as { kv: secret/shop/app }' });
  return {};
}
