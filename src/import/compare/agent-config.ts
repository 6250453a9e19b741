import { resolve } from 'node:path';
import type { FiledItem } from '../config/stanza.ts';
import type { HclItem, HclObject, HclValue } from '../hcl/tree.ts';

/** Which program renders the other side. */
export type OtherKind = 'agent' | 'consul-template';

/** A file that the other program writes for the comparison, and what it is in the configuration. */
export interface ComparedFile {
  /** The destination, or `exec.env.NAME`. */
  readonly name: string;
  readonly path: string;
  /** The template, to be written into a file of its own; absent: it is in a file already. */
  readonly template?: { readonly path: string; readonly text: string };
}

/** The sections that are needed to log in and to render. */
const ROOT: Readonly<Record<OtherKind, readonly string[]>> = {
  agent: ['auto_auth'],
  'consul-template': ['default_delimiters'],
};

/** A secret that is not there is asked for again as if the server were down: by itself, for a minute. */
const RETRIES: Readonly<Record<OtherKind, string>> = {
  agent: 'retry {\nnum_retries = 3\n}',
  'consul-template': 'retry {\nattempts = 3\n}',
};

/** The keys of a template that decide what it renders. */
const TEMPLATE = ['left_delimiter', 'right_delimiter', 'error_on_missing_key', 'sandbox_path'];

/** What an agent knows of the server in a block that is one of consul-template. */
const SERVER = ['address', 'namespace', 'ca_cert', 'client_cert', 'client_key', 'tls_skip_verify', 'tls_server_name'];

/** Agents remove the secret id and the JWT that they read, unless they are told not to. */
const REMOVING = ['remove_secret_id_file_after_reading', 'remove_jwt_after_reading', 'remove_password_after_reading'];

/**
 * The configuration for the other program: the same servers, login and templates, and nothing else. Each file goes into
 * `dir`; no command runs, nothing listens, and no credential is removed.
 * @param tokenFile the login of an agent whose configuration has none, since it is one of consul-template.
 */
export function agentConfig(
  items: readonly FiledItem[],
  dir: string,
  kind: OtherKind,
  tokenFile?: string,
): { readonly hcl: string; readonly files: readonly ComparedFile[] } {
  const files: ComparedFile[] = [];
  const lines: string[] = ['log_level = "warn"', serverOf(items, kind, tokenFile !== undefined)];
  for (const item of items) {
    if (item.key === 'template' || item.key === 'env_template') {
      for (const [label, object] of objectsOf(item)) {
        const name = item.key === 'template' ? textOf(object, 'destination') : `exec.env.${label ?? ''}`;
        const contents = textOf(object, 'contents');
        const source = textOf(object, 'source');
        if (name === undefined || writesElsewhere(object) || (contents === undefined && source === undefined)) continue;
        const path = `${dir}/${files.length}`;
        const template = contents === undefined ? undefined : { path: `${path}.tmpl`, text: contents };
        files.push({ name, path, ...(template === undefined ? {} : { template }) });
        const kept = object.items.filter(({ key }) => TEMPLATE.includes(key)).map(writeItem);
        const from = template?.path ?? resolve(source as string);
        lines.push(
          `template {\nsource = ${quoted(from)}\ndestination = ${quoted(path)}\nperms = "0600"\n${kept.join('\n')}\n}`,
        );
      }
    } else if (item.key === 'auto_auth') lines.push(writeItem({ ...item, value: loginOnly(item.value) }));
    else if (ROOT[kind].includes(item.key)) lines.push(writeItem(item));
  }
  if (tokenFile !== undefined) {
    const config = `config = { token_file_path = ${quoted(tokenFile)} }`;
    lines.push(`auto_auth {\nmethod "token_file" {\n${config}\n}\n}`);
  }
  if (kind === 'agent') lines.push('exit_after_auth = true', 'template_config {\nexit_on_retry_failure = true\n}');
  return { hcl: `${lines.join('\n')}\n`, files };
}

/** One block `vault`, since agents refuse a second one: with the keys of all, of which the last counts. */
function serverOf(items: readonly FiledItem[], kind: OtherKind, isBorrowed: boolean): string {
  const keys = new Map<string, HclItem>();
  for (const [, object] of items.filter(({ key }) => key === 'vault').flatMap(objectsOf)) {
    for (const item of object.items) {
      if (isBorrowed ? SERVER.includes(item.key) : item.key !== 'retry') keys.set(item.key, item);
    }
  }
  return `vault {\n${[...keys.values()].map(writeItem).join('\n')}\n${RETRIES[kind]}\n}`;
}

/** Whether a template would write files of its own while it is rendered. */
export const writesElsewhere = (object: HclObject): boolean => /\bwriteToFile\b/.test(textOf(object, 'contents') ?? '');

/** `auto_auth` without its sinks, and with files that stay. */
function loginOnly(value: HclValue): HclValue {
  if (value.kind !== 'object') return value;
  const keep = (object: HclObject): HclObject => ({
    ...object,
    items: object.items.map((item) => {
      if (item.value.kind !== 'object') return item;
      if (item.key !== 'config') return { ...item, value: keep(item.value) };
      const others = item.value.items.filter(({ key }) => !REMOVING.includes(key));
      const { at } = item;
      const stays = REMOVING.map(
        (key): HclItem => ({ key, labels: [], at, value: { kind: 'bool', value: false, at } }),
      );
      return { ...item, value: { ...item.value, items: [...others, ...stays] } };
    }),
  });
  return keep({ ...value, items: value.items.filter(({ key }) => key !== 'sink') });
}

/** An item as HCL. */
function writeItem({ key, labels, value }: HclItem): string {
  if (value.kind === 'object') return `${[key, ...labels.map(quoted)].join(' ')} ${writeValue(value)}`;
  // A list of objects is as many blocks.
  if (value.kind === 'list' && value.items.length > 0 && value.items.every(({ kind }) => kind === 'object')) {
    return value.items.map((one) => `${key} ${writeValue(one)}`).join('\n');
  }
  return `${key} = ${writeValue(value)}`;
}

function writeValue(value: HclValue): string {
  switch (value.kind) {
    case 'string':
      return quoted(value.value);
    case 'number':
      return value.text;
    case 'bool':
      return String(value.value);
    case 'null':
      return '""';
    case 'list':
      return `[${value.items.map(writeValue).join(', ')}]`;
    case 'object':
      return `{\n${value.items.map(writeItem).join('\n')}\n}`;
  }
}

const quoted = (text: string): string => JSON.stringify(text);

function objectsOf({ labels, value }: HclItem): readonly (readonly [string | undefined, HclObject])[] {
  const [label] = labels;
  const objects = value.kind === 'list' ? value.items : [value];
  return objects.flatMap((one) => (one.kind === 'object' ? [[label, one] as const] : []));
}

/** The value of a key of the block `vault`. */
export function ofVault(items: readonly FiledItem[], key: string): string | undefined {
  const blocks = items.filter((item) => item.key === 'vault').flatMap(objectsOf);
  return blocks.map(([, block]) => textOf(block, key)).findLast((one) => one !== undefined);
}

function textOf({ items }: HclObject, wanted: string): string | undefined {
  const found = items.findLast(({ key }) => key === wanted)?.value;
  return found?.kind === 'string' ? found.value : undefined;
}
