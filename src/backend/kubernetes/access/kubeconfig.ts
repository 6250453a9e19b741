import { dirname, resolve } from 'node:path';
import { errnoWord } from '../../../base/errno.ts';
import { fail, type PannierError } from '../../../base/errors.ts';
import { fileStamp } from '../../../base/file-stamp.ts';
import { makeNearest, thereIsNo } from '../../../base/nearest.ts';
import { readFileInTime, statInTime } from '../../../base/read-file.ts';
import { Secret } from '../../../base/secret.ts';
import { type Fields, isFields, isList, plainText, type Value } from '../../../base/value.ts';
import { parseYaml, YamlError } from '../../../base/yaml.ts';
import { parseAddress } from '../../../config/address.ts';
import type { TlsConfig } from '../../../config/config.ts';
import { isReadable } from '../config/readable-address.ts';

/** What one context of a kubeconfig file says. */
export interface KubeContext {
  readonly address: string;
  readonly tls: TlsConfig;
  readonly namespace: string | undefined;
  readonly user: KubeUser;
  /** The name of the user in the file. */
  readonly userName: string;
}

/** How a user signs in; `certificate` is in `KubeContext.tls` already. */
export type KubeUser =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'tokenFile'; readonly file: string }
  | { readonly kind: 'certificate' }
  | { readonly kind: 'exec'; readonly plugin: ExecPlugin };

/** A program that prints a credential, see https://kubernetes.io/docs/reference/access-authn-authz/authentication/ */
export interface ExecPlugin {
  readonly apiVersion: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the program is told of the cluster. Absent: nothing. */
  readonly cluster?: Readonly<Record<string, unknown>>;
}

const MAX_BYTES = 4 * 1024 * 1024;
const EXEC_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

/** Keys of a user whose meaning would be lost in silence. */
const NOT_FOLLOWED: Readonly<Record<string, string>> = {
  username: 'the API server has no password logins any more',
  'auth-provider': 'Kubernetes has removed it; use exec',
  as: 'the agent impersonates nobody',
  'as-uid': 'the agent impersonates nobody',
  'as-groups': 'the agent impersonates nobody',
};

/**
 * Reads one context of a kubeconfig file. Files that it names are relative to it, as kubectl has it.
 * @param place is for errors.
 * @throws PannierError BACKEND_FILE, which quotes nothing but names.
 */
export async function readKubeconfig(path: string, context: string | undefined, place: string): Promise<KubeContext> {
  const refuse = (seen: string, hint?: string): PannierError =>
    fail('BACKEND_FILE', place, `${path}: ${seen}`, hint === undefined ? {} : { hint });
  const file = await parse(path, refuse);
  const at = (from: Fields, key: string) => {
    const text = plainText(from.get(key));
    return text === undefined || text === '' ? undefined : text;
  };
  const wanted = context ?? at(file, 'current-context');
  if (wanted === undefined) throw refuse('it has no current-context', 'Add context to the backend.');
  const entry = named(file, 'contexts', 'context', wanted, refuse);
  const clusterName = at(entry, 'cluster') ?? '';
  const userName = at(entry, 'user') ?? '';
  const cluster = named(file, 'clusters', 'cluster', clusterName, refuse);
  const user = userName === '' ? new Map() : named(file, 'users', 'user', userName, refuse);
  const dir = dirname(path);
  const fileIn = (from: Fields, key: string) => {
    const name = at(from, key);
    return name === undefined ? undefined : resolve(dir, name);
  };

  const server = parseAddress(at(cluster, 'server') ?? '');
  if (server.address === undefined) throw refuse(`the server of the cluster ${clusterName}: ${server.wrong}`);
  if (isReadable(server.address)) {
    throw refuse(`the server of the cluster ${clusterName} speaks no TLS`, 'A token would go over the network openly.');
  }
  if (at(cluster, 'insecure-skip-tls-verify') === 'true') {
    const hint = 'Remove it, and give certificate-authority or certificate-authority-data instead.';
    throw refuse(`the cluster ${clusterName} has insecure-skip-tls-verify, which is not followed`, hint);
  }
  if (at(cluster, 'proxy-url') !== undefined) {
    throw refuse(`the cluster ${clusterName} has proxy-url, which is not followed`, 'Set HTTPS_PROXY instead.');
  }
  for (const [key, why] of Object.entries(NOT_FOLLOWED)) {
    if (user.has(key)) throw refuse(`the user ${userName} has ${key}, which is not followed: ${why}`);
  }
  const decoded = (from: Fields, key: string, owner: string) => {
    const text = at(from, key);
    if (text === undefined) return undefined;
    if (/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text)) return Buffer.from(text, 'base64').toString('latin1');
    throw refuse(`${key} of ${owner} is no base64`);
  };
  // Data wins over a file of the same name, as kubectl has it.
  const ca = decoded(cluster, 'certificate-authority-data', `the cluster ${clusterName}`);
  const cert = decoded(user, 'client-certificate-data', `the user ${userName}`);
  const key = decoded(user, 'client-key-data', `the user ${userName}`);
  const caFile = ca === undefined ? fileIn(cluster, 'certificate-authority') : undefined;
  const certFile = cert === undefined ? fileIn(user, 'client-certificate') : undefined;
  const keyFile = key === undefined ? fileIn(user, 'client-key') : undefined;
  const hasCertificate = cert !== undefined || certFile !== undefined;
  if (hasCertificate !== (key !== undefined || keyFile !== undefined)) {
    throw refuse(`the user ${userName} has ${hasCertificate ? 'a certificate without its key' : 'a key alone'}`);
  }
  const serverName = at(cluster, 'tls-server-name');
  const held = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key: Secret.text(key) }),
  };
  const tls: TlsConfig = {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(serverName === undefined ? {} : { serverName }),
    skipVerify: false,
    ...(Object.keys(held).length === 0 ? {} : { held }),
  };

  const userOf = (): KubeUser => {
    const token = at(user, 'token');
    const tokenFile = fileIn(user, 'tokenFile');
    const exec = user.get('exec');
    // A file wins over a token beside it, since that one is older.
    if (tokenFile !== undefined) return { kind: 'tokenFile', file: tokenFile };
    if (token !== undefined) return { kind: 'token', token: Secret.text(token) };
    if (isFields(exec)) return { kind: 'exec', plugin: execOf(exec, { userName, dir, cluster, server, ca, refuse }) };
    if (hasCertificate) return { kind: 'certificate' };
    throw fail('AUTH_NO_CREDENTIALS', place, `${path}: the user ${userName || 'of the context'} has no credential`, {
      hint: 'Give it a token, a tokenFile, a client-certificate or exec.',
    });
  };
  return { address: server.address, tls, namespace: at(entry, 'namespace'), user: userOf(), userName };
}

/** @throws FileCallError and errors of system calls. */
export async function stampOf(path: string): Promise<string> {
  return fileStamp(await statInTime(path));
}

interface ExecOwner {
  readonly userName: string;
  readonly dir: string;
  readonly cluster: Fields;
  readonly server: { readonly address?: string };
  readonly ca: string | undefined;
  readonly refuse: (seen: string, hint?: string) => PannierError;
}

function execOf(exec: Fields, { userName, dir, cluster, server, ca, refuse }: ExecOwner): ExecPlugin {
  const of = `exec of the user ${userName}`;
  const apiVersion = plainText(exec.get('apiVersion')) ?? '';
  if (!EXEC_VERSIONS.includes(apiVersion)) {
    throw refuse(`${of} has an apiVersion that is not known`, `It must be ${EXEC_VERSIONS.join(' or ')}.`);
  }
  const command = plainText(exec.get('command')) ?? '';
  if (command === '' || command.includes('\0')) throw refuse(`${of} has no command`);
  if (plainText(exec.get('interactiveMode')) === 'Always') {
    throw refuse(`${of} asks a person (interactiveMode: Always), and an agent has nobody to ask`);
  }
  const env: Record<string, string> = {};
  for (const one of listOf(exec.get('env'))) {
    const name = isFields(one) ? plainText(one.get('name')) : undefined;
    if (name !== undefined && isFields(one)) env[name] = plainText(one.get('value')) ?? '';
  }
  const isPath = command.includes('/') && !command.startsWith('/');
  const tells = plainText(exec.get('provideClusterInfo')) === 'true';
  const serverName = plainText(cluster.get('tls-server-name'));
  const told = {
    server: server.address,
    ...(serverName === undefined ? {} : { 'tls-server-name': serverName }),
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca, 'latin1').toString('base64') }),
  };
  return {
    apiVersion,
    argv: [isPath ? resolve(dir, command) : command, ...listOf(exec.get('args')).map((one) => plainText(one) ?? '')],
    env,
    ...(tells ? { cluster: told } : {}),
  };
}

const listOf = (value: Value | undefined): readonly Value[] => (isList(value) ? value : []);

async function parse(path: string, refuse: (seen: string) => PannierError): Promise<Fields> {
  let text: string;
  try {
    text = (await readFileInTime(path, { maxBytes: MAX_BYTES })).bytes.toString('utf8');
  } catch (error) {
    const code = errnoWord(error);
    throw refuse(code === 'ENOENT' ? 'it does not exist' : `it cannot be read (${code})`);
  }
  try {
    const value = await parseYaml(text);
    if (isFields(value)) return value;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw refuse(`${error.what}, line ${error.line}, column ${error.column}`);
  }
  throw refuse('it is no kubeconfig');
}

/** The entry of a list `contexts`, `clusters` or `users` by its name. */
function named(file: Fields, list: string, key: string, name: string, refuse: (seen: string) => PannierError): Fields {
  const entries = listOf(file.get(list)).filter(isFields);
  const found = entries.find((entry) => plainText(entry.get('name')) === name)?.get(key);
  if (isFields(found)) return found;
  const names = entries.map((entry) => plainText(entry.get('name')) ?? '');
  throw refuse(thereIsNo(key, name, makeNearest(names)(name)));
}
