import { CHANGE } from '../marks.ts';
import type { Draft } from './draft.ts';
import { formatMs, goDuration } from './duration.ts';
import type { Block, Stanza } from './stanza.ts';
import { inline, YamlMap } from './yaml.ts';

/** What the injector's annotations say of a backend, and configurations do not. */
export interface BackendExtras {
  readonly revokeOnExit?: boolean;
  readonly timeout?: string;
}

/** The backend and its login, of the blocks `vault` and `auto_auth`. */
export function convertBackend(
  root: Stanza,
  draft: Draft,
  keepsCredentials: boolean,
  { revokeOnExit, timeout }: BackendExtras,
): void {
  const vault = root.block('vault')?.stanza;
  const ssl = vault?.block('ssl')?.stanza;
  const method = root.block('auto_auth')?.stanza.block('method', true);
  const { backend, notes } = draft;
  backend.set('kind', 'vault');
  const address = vault?.text('address');
  if (address === undefined || address === '') {
    notes.remark(undefined, 'address: no file names one, so VAULT_ADDR or BAO_ADDR does');
  } else backend.set('address', address);
  const namespaces = [vault?.text('namespace'), method?.stanza.text('namespace')].filter((one) => one !== undefined);
  const namespace = namespaces[0]?.replace(/^\/+|\/+$/g, '');
  if (namespace !== undefined && namespace !== '') backend.set('namespace', namespace);
  if (new Set(namespaces.map((one) => one.replace(/^\/+|\/+$/g, ''))).size > 1) {
    notes.problem(
      method?.stanza.placeOf('namespace') ?? root.place,
      'the login has another namespace than the requests',
      'Both use backends.NAME.namespace: move the auth mount or the secrets.',
    );
  }
  const ms = timeout === undefined ? undefined : goDuration(timeout);
  backend.set('timeout', ms === undefined || ms === 0 ? undefined : formatMs(ms));
  const config = method?.stanza.block('config')?.stanza;
  const tls = tlsOf(vault, ssl, config);
  if (!tls.isEmpty) backend.set('tls', tls);
  const seconds = vault?.duration('default_lease_duration');
  if (seconds === 'odd') {
    const place = vault?.placeOf('default_lease_duration') ?? root.place;
    notes.problem(place, 'default_lease_duration is no duration', 'Write refresh: 5m.');
  } else if (seconds !== undefined) draft.refresh = seconds;
  const login = root.block('auto_auth')?.stanza;
  if (login !== undefined && method === undefined) {
    notes.problem(
      login.place,
      'auto_auth has no method',
      'Write auto_auth { method "kubernetes" { … } }, or the like.',
    );
  }
  const auth = authOf(root, { vault, method, config, keepsCredentials }, draft);
  backend.set('auth', auth.set('revokeOnExit', revokeOnExit));
}

function tlsOf(vault: Stanza | undefined, ssl: Stanza | undefined, config: Stanza | undefined): YamlMap {
  const text = (key: string, ofSsl: string): string | undefined =>
    config?.text(key) ?? vault?.text(key) ?? ssl?.text(ofSsl);
  const tls = new YamlMap(true);
  tls.set('caFile', nonEmpty(text('ca_cert', 'ca_cert')));
  const cert = nonEmpty(text('client_cert', 'cert'));
  const key = nonEmpty(text('client_key', 'key'));
  // A pair in one file is named twice.
  tls.set('certFile', cert ?? key).set('keyFile', key ?? cert);
  tls.set('serverName', nonEmpty(vault?.text('tls_server_name') ?? ssl?.text('server_name')));
  const isUnsafe = vault?.isTrue('tls_skip_verify') === true || ssl?.text('verify') === 'false';
  return tls.set('skipVerify', isUnsafe ? true : undefined);
}

interface LoginParts {
  readonly vault: Stanza | undefined;
  readonly method: Block | undefined;
  readonly config: Stanza | undefined;
  readonly keepsCredentials: boolean;
}

function authOf(root: Stanza, { vault, method, config, keepsCredentials }: LoginParts, draft: Draft): YamlMap {
  if (method !== undefined) {
    const type = method.stanza.text('type') ?? method.label ?? '';
    const mount = method.stanza
      .text('mount_path')
      ?.replace(/^\/*auth\//, '')
      .replace(/\/+$/, '');
    const auth = inline(loginOf(type, method, config, draft, keepsCredentials));
    return mount === undefined || mount === type ? auth : auth.set('mount', mount);
  }
  const role = vault?.text('k8s_auth_role_name');
  if (role !== undefined) {
    return inline({
      method: 'kubernetes',
      role,
      tokenFile: vault?.text('k8s_service_account_token_path'),
      mount: vault?.text('k8s_service_mount_path')?.replace(/^auth\//, ''),
    });
  }
  const tokenFile = vault?.text('vault_agent_token_file');
  if (tokenFile !== undefined) return inline({ method: 'token', tokenFile });
  if (vault?.text('token') !== undefined) {
    draft.notes.problem(
      vault.placeOf('token'),
      'a token is written in the configuration, and is not copied',
      'Put it into a file that only the agent may read: auth.tokenFile.',
    );
    return inline({ method: 'token', tokenFile: CHANGE });
  }
  draft.notes.remark(
    root.place,
    'no login is configured: the token is that of VAULT_TOKEN or BAO_TOKEN; if the address is a proxy with auto-auth, write auth: { method: none }',
  );
  return inline({ method: 'token' });
}

/** The keys of a login, by its type. */
function loginOf(
  type: string,
  { stanza }: Block,
  config: Stanza | undefined,
  { notes }: Draft,
  keepsCredentials: boolean,
): Readonly<Record<string, unknown>> {
  const text = (key: string) => nonEmpty(config?.text(key));
  switch (type) {
    case 'kubernetes':
      return { method: 'kubernetes', role: text('role') ?? CHANGE, tokenFile: text('token_path') };
    case 'jwt':
      return { method: 'jwt', role: text('role') ?? CHANGE, tokenFile: text('path') ?? CHANGE };
    case 'approle': {
      // The agent there removes the secret id unless it is told not to.
      const removes = config?.text('remove_secret_id_file_after_reading') !== 'false';
      const secretIdFile = text('secret_id_file_path');
      const isWrapped = text('secret_id_response_wrapping_path') !== undefined;
      return {
        method: 'approle',
        roleIdFile: text('role_id_file_path') ?? CHANGE,
        secretIdFile,
        secretIdWrapped: isWrapped ? true : undefined,
        removeSecretIdFile: removes && !keepsCredentials && secretIdFile !== undefined ? true : undefined,
      };
    }
    case 'cert':
      return { method: 'cert', role: text('name') };
    case 'token_file':
      return { method: 'token', tokenFile: text('token_file_path') ?? CHANGE };
    case 'ldap':
      return {
        method: 'ldap',
        username: text('username') ?? CHANGE,
        passwordFile: text('password_file_path') ?? CHANGE,
      };
    case 'aws': {
      if (text('type') === 'ec2') {
        notes.problem(config?.placeOf('type') ?? stanza.place, 'the AWS login of type ec2', 'Use the type iam.');
      }
      return { method: 'aws', role: text('role'), region: text('region'), serverId: text('header_value') };
    }
    default: {
      const seen = type === '' ? 'the login has no type' : `there is no login by ${type}`;
      notes.problem(stanza.placeOf('type'), seen, 'Use another method: jwt takes the identity token of a platform.');
      return { method: 'jwt', role: text('role') ?? CHANGE, tokenFile: CHANGE };
    }
  }
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
