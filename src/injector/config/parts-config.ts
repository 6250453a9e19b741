import * as yaml from 'yaml';
import { parseBounded } from '../../base/bounded-yaml.ts';
import { PREFIX } from '../annotations/known.ts';
import { isMap } from '../pod/json.ts';
import { CA_FILE, type ConfigParts, TOKEN_FILE } from '../settings.ts';
import type { Wrong } from '../wrong.ts';

/** Who reads the files: the agent's own user, the group of the pod's volumes, or anybody who mounts them. */
export type Readers = { readonly kind: 'user' | 'all' } | { readonly kind: 'group'; readonly gid: number };

/** The configuration that is written in annotations of its parts. */
export function configOfParts(parts: ConfigParts, readers: Readers, hasCa: boolean, wrong: Wrong[]): string {
  const secrets = [...parts.secrets].map(([name, text]) => [name, yamlIn(`secret-${name}`, text, wrong)] as const);
  const files = [...parts.files].map(([name, text]) => [name, yamlIn(`file-${name}`, text, wrong)] as const);
  const reload = parts.reload === undefined ? undefined : yamlIn('reload', parts.reload, wrong);
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
function yamlIn(name: string, text: string, wrong: Wrong[]): unknown {
  try {
    const document = parseBounded(yaml, text);
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    if (isMap(value) || (name === 'reload' && Array.isArray(value))) return value;
    wrong.push({ where: `${PREFIX}${name}`, seen: 'must be a map in YAML, such as { kv: secret/shop/app }' });
  } catch {
    wrong.push({ where: `${PREFIX}${name}`, seen: 'is not valid YAML' });
  }
  return {};
}
