/** A key of one of the tools whose configurations are converted, and what becomes of it. */
export interface KnownKey {
  /** The path of the key without labels: `auto_auth.method.type`. A `*` at the end is everything below. */
  readonly key: string;
  /** `no place`: it has no meaning here, which a comment tells. `not there`: it cannot be kept, which is a problem. */
  readonly is: 'converted' | 'no place' | 'not there';
  /** What it becomes; why it has no place; or what to do. */
  readonly here: string;
}

const converted = (here: string, ...keys: readonly string[]): readonly KnownKey[] =>
  keys.map((key) => ({ key, is: 'converted', here }));
const noPlace = (here: string, ...keys: readonly string[]): readonly KnownKey[] =>
  keys.map((key) => ({ key, is: 'no place', here }));
const notThere = (here: string, ...keys: readonly string[]): readonly KnownKey[] =>
  keys.map((key) => ({ key, is: 'not there', here }));

const CONNECTIONS = 'at most 16 connections are kept, each for ten minutes at most';
const WAITS = 'requests are tried again without end, after random waits that grow to 30 s; init --timeout sets a limit';
const CONSUL = 'Pannier reads secrets of Vault only: keep the tool for what it reads from Consul or Nomad';
const CLOUDS = 'use method jwt with the identity token of the platform';

/** Of the servers and the login. */
const VAULT_KEYS: readonly KnownKey[] = [
  ...converted('a backend', 'vault'),
  ...converted('`address`', 'vault.address'),
  ...converted('`namespace`', 'vault.namespace', 'auto_auth.method.namespace'),
  ...converted('`tls.caFile`', 'vault.ca_cert', 'vault.ssl.ca_cert'),
  ...converted('`tls.certFile`', 'vault.client_cert', 'vault.ssl.cert'),
  ...converted('`tls.keyFile`', 'vault.client_key', 'vault.ssl.key'),
  ...converted('`tls.serverName`', 'vault.tls_server_name', 'vault.ssl.server_name'),
  ...converted('`tls.skipVerify`', 'vault.tls_skip_verify', 'vault.ssl.verify'),
  ...converted('`tls`', 'vault.ssl'),
  ...notThere('put all certificates into one file and name it as tls.caFile', 'vault.ca_path', 'vault.ssl.ca_path'),
  ...notThere('put the certificates into a file and name it as tls.caFile', 'vault.ssl.ca_cert_bytes'),
  ...noPlace('an address with https:// is used with TLS', 'vault.ssl.enabled'),
  ...converted(
    'of consul-template and envconsul: `auth: { method: token, tokenFile }`, put the token into that file',
    'vault.token',
  ),
  ...converted('`auth: { method: token, tokenFile }`', 'vault.vault_agent_token_file'),
  ...converted('`auth: { method: kubernetes, role }`', 'vault.k8s_auth_role_name'),
  ...converted('`auth.tokenFile`', 'vault.k8s_service_account_token_path'),
  ...converted('`auth.mount`', 'vault.k8s_service_mount_path'),
  ...notThere('put the token into a file and name it as auth.tokenFile', 'vault.k8s_service_account_token'),
  ...notThere('unwrap the token before, into the file of auth.tokenFile', 'vault.unwrap_token'),
  ...noPlace('a login that can be renewed is renewed', 'vault.renew_token'),
  ...noPlace('sections that are there are on', 'vault.enabled'),
  ...noPlace(WAITS, 'vault.retry', 'vault.retry.*', 'consul.retry.*'),
  ...noPlace(CONNECTIONS, 'vault.transport', 'vault.transport.*'),
  ...noPlace('the agent names itself in User-Agent', 'vault.client_user_agent'),
  ...converted(
    '`secrets.NAME.refresh`',
    'vault.default_lease_duration',
    'template_config.static_secret_render_interval',
  ),
  ...noPlace(
    'a lease is renewed at 2/3 of its life and replaced at 0.85 to 0.9',
    'vault.lease_renewal_threshold',
    'template_config.lease_renewal_threshold',
  ),
  ...noPlace(
    CONNECTIONS,
    'disable_idle_connections',
    'disable_keep_alives',
    'template_config.max_connections_per_host',
  ),
  ...converted('`backends.NAME.auth`', 'auto_auth', 'auto_auth.method', 'auto_auth.method.config'),
  ...converted('`method`', 'auto_auth.method.type'),
  ...converted('`mount`, without `auth/`', 'auto_auth.method.mount_path'),
  ...notThere('the login itself is not wrapped: clients use the proxy, and get no token', 'auto_auth.method.wrap_ttl'),
  ...noPlace('waits are 0.25 to 30 s, at random', 'auto_auth.method.min_backoff', 'auto_auth.method.max_backoff'),
  ...noPlace('init ends at once when its login is denied; run goes on', 'auto_auth.method.exit_on_err'),
  ...noPlace(
    'credentials are read at each login; new ones do not end a login that is valid',
    'auto_auth.enable_reauth_on_new_credentials',
  ),
  ...converted('`role`', 'auto_auth.method.config.role', 'auto_auth.method.config.name'),
  ...converted('`tokenFile`', 'auto_auth.method.config.token_path', 'auto_auth.method.config.path'),
  ...converted('`tokenFile`', 'auto_auth.method.config.token_file_path'),
  ...converted('`roleIdFile`', 'auto_auth.method.config.role_id_file_path'),
  ...converted('`secretIdFile`', 'auto_auth.method.config.secret_id_file_path'),
  ...converted('`removeSecretIdFile`', 'auto_auth.method.config.remove_secret_id_file_after_reading'),
  ...converted('`secretIdWrapped`', 'auto_auth.method.config.secret_id_response_wrapping_path'),
  ...converted('`tls.certFile`', 'auto_auth.method.config.client_cert'),
  ...converted('`tls.keyFile`', 'auto_auth.method.config.client_key'),
  ...converted('`tls.caFile`', 'auto_auth.method.config.ca_cert'),
  ...converted('`username`', 'auto_auth.method.config.username'),
  ...converted('`passwordFile`', 'auto_auth.method.config.password_file_path'),
  ...converted('`region`', 'auto_auth.method.config.region'),
  ...converted('`serverId`', 'auto_auth.method.config.header_value'),
  ...converted('the AWS login of type `iam`', 'auto_auth.method.config.type'),
  ...noPlace(
    'files are read again at each login, and stay',
    'auto_auth.method.config.reload',
    'auto_auth.method.config.reload_period',
    'auto_auth.method.config.remove_jwt_after_reading',
    'auto_auth.method.config.remove_jwt_follows_symlinks',
    'auto_auth.method.config.jwt_read_period',
    'auto_auth.method.config.remove_password_after_reading',
    'auto_auth.method.config.remove_password_follows_symlinks',
    'auto_auth.method.config.password_read_period',
    'auto_auth.method.config.credential_poll_interval',
  ),
  ...notThere(
    'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or let the agent find its identity',
    'auto_auth.method.config.access_key',
    'auto_auth.method.config.secret_key',
    'auto_auth.method.config.session_token',
  ),
  ...notThere('the AWS login of type ec2 is not there: use iam', 'auto_auth.method.config.nonce'),
  ...notThere(
    CLOUDS,
    ...['resource', 'object_id', 'client_id', 'credentials', 'service_account', 'jwt_exp', 'project'].map(
      (key) => `auto_auth.method.config.${key}`,
    ),
  ),
  ...notThere(
    'there is no login by Kerberos',
    ...['krb5conf_path', 'keytab_path', 'service', 'realm', 'disable_fast_negotiation'].map(
      (key) => `auto_auth.method.config.${key}`,
    ),
  ),
];

const SINK_KEYS: readonly KnownKey[] = [
  ...converted('with `--sink` a file with the token, else use the proxy', 'auto_auth.sink'),
  ...converted('see `sink`', 'auto_auth.sink.type', 'auto_auth.sink.config', 'auto_auth.sink.config.path'),
  ...converted('`mode` of the file', 'auto_auth.sink.config.mode'),
  ...converted('`uid` of the file', 'auto_auth.sink.config.uid', 'auto_auth.sink.config.owner'),
  ...converted('`gid` of the file', 'auto_auth.sink.config.gid', 'auto_auth.sink.config.group'),
  ...notThere(
    'a token in a file is not wrapped or encrypted here: let clients use the proxy, which gives them no token, or remove this key and run import with --sink, which writes the plain token',
    ...['wrap_ttl', 'dh_type', 'dh_path', 'derive_key', 'aad', 'aad_env_var'].map((key) => `auto_auth.sink.${key}`),
  ),
];

const TEMPLATE_FIELDS: readonly (readonly [KnownKey['is'], string, readonly string[]])[] = [
  ['converted', 'the template, converted', ['source', 'contents', 'left_delimiter', 'right_delimiter']],
  ['converted', '`dir` of an output and the name of a file in it', ['destination']],
  ['converted', '`mode`; without it 0644, as there', ['perms']],
  ['converted', '`uid`, `gid`, by number', ['user', 'uid', 'group', 'gid']],
  ['converted', '`reload`, once for all files in the directory', ['command', 'exec', 'exec.command']],
  ['converted', '`reload[].command.timeout`', ['command_timeout', 'exec.timeout']],
  ['converted', '`quiet` and `maxWait`', ['wait', 'wait.min', 'wait.max']],
  ['no place', 'sections that are there are on', ['wait.enabled', 'exec.enabled', 'wait.bool']],
  ['no place', 'missing directories are made', ['create_dest_dirs']],
  ['no place', 'the generation before stays until the next one', ['backup']],
  ['no place', 'a missing field is always an error', ['error_on_missing_key']],
  ['no place', 'a failing output holds up no other', ['error_fatal']],
  [
    'no place',
    'templates reach no file, program or variable',
    ['sandbox_path', 'function_denylist', 'function_blacklist'],
  ],
  ['no place', 'a command is ended after its timeout', ['exec.kill_signal', 'exec.kill_timeout', 'exec.reload_signal']],
  ['no place', 'reloads are spread by `quiet`', ['exec.splay']],
  ['not there', 'write the variables into argv: [env, A=b, PROGRAM]', ['exec.env', 'exec.env.*']],
];

const TEMPLATE_KEYS: readonly KnownKey[] = [
  ...converted('a file of an output', 'template'),
  ...converted(
    'a variable of `exec.env`; a name that no shell can use needs `exec.names: any`, which is written',
    'env_template',
  ),
  ...['template', 'env_template'].flatMap((block) =>
    TEMPLATE_FIELDS.flatMap(([is, here, fields]) => fields.map((field) => ({ key: `${block}.${field}`, is, here }))),
  ),
  ...converted('see the keys below it', 'template_config'),
  ...noPlace('run does not end for this; init --timeout sets a limit', 'template_config.exit_on_retry_failure'),
  ...noPlace('a failing output holds up no other', 'template_error_fatal', 'err_on_failed_lookup'),
  ...converted('`quiet` and `maxWait` of each output', 'wait', 'wait.min', 'wait.max'),
  ...noPlace('sections that are there are on', 'wait.enabled', 'wait.bool'),
  ...converted(
    'the delimiters of each template',
    'default_delimiters',
    'default_delimiters.left',
    'default_delimiters.right',
  ),
];

const EXEC_KEYS: readonly KnownKey[] = [
  ...converted('`exec.command`', 'exec', 'exec.command'),
  ...converted('`exec.onChange`', 'exec.restart_on_secret_changes', 'exec.reload_signal'),
  ...converted('`exec.stopSignal`', 'exec.restart_stop_signal', 'exec.kill_signal'),
  ...converted('`exec.grace`', 'exec.kill_timeout'),
  ...converted(
    '`exec.pristine`, `exec.inherit`',
    'exec.env',
    'exec.env.pristine',
    'exec.env.allowlist',
    'exec.env.whitelist',
  ),
  ...converted('`exec.env`', 'exec.env.custom'),
  ...notThere(
    'name the variables that the child may have: exec.pristine and exec.inherit',
    'exec.env.denylist',
    'exec.env.blacklist',
  ),
  ...noPlace('sections that are there are on', 'exec.enabled'),
  ...noPlace('a child that runs long is not ended', 'exec.timeout'),
  ...noPlace('changes are gathered by exec.quiet', 'exec.splay'),
  ...converted('`exec.from`', 'secret', 'secret.path'),
  ...converted('`exec.prefix`', 'secret.no_prefix', 'secret.format'),
  ...converted('a variable of `exec.env`', 'secret.key', 'secret.key.name', 'secret.key.format'),
  ...converted('`exec.case: upper`', 'upcase'),
  ...converted('`exec.keys: identifier`', 'sanitize'),
  ...converted('`exec.pristine`', 'pristine'),
];

/** Keys of listeners that concern TLS, and those that a listener of a server has. */
const LISTENER_KEYS: readonly KnownKey[] = [
  ...converted('`proxy.socket`, `proxy.listen`, or `admin` for the role metrics_only', 'listener', 'listener.type'),
  ...converted('`socket` or `listen`', 'listener.address', 'listener.role'),
  ...converted(
    '`mode`, `uid`, `gid` of the socket',
    'listener.socket_mode',
    'listener.socket_user',
    'listener.socket_group',
  ),
  ...converted('`requireRequestHeader`', 'listener.require_request_header'),
  ...converted('TLS is not there: sockets and loopback only', 'listener.tls_disable'),
  ...notThere(
    'a local listener has no TLS: use a socket, or loopback',
    ...['cert_file', 'key_file', 'min_version', 'max_version', 'cipher_suites', 'prefer_server_cipher_suites'].map(
      (key) => `listener.tls_${key}`,
    ),
    ...['require_and_verify_client_cert', 'client_ca_file', 'disable_client_certs'].map((key) => `listener.tls_${key}`),
  ),
  ...converted(
    '`proxy.quit`',
    ...['agent_api', 'proxy_api'].flatMap((key) => [`listener.${key}`, `listener.${key}.enable_quit`]),
  ),
  ...noPlace(
    'requests have caps of their own',
    ...['http_idle_timeout', 'http_read_timeout', 'http_read_header_timeout', 'http_write_timeout'].map(
      (key) => `listener.${key}`,
    ),
    ...['max_request_size', 'max_request_duration', 'max_request_json_memory', 'max_request_json_strings'].map(
      (key) => `listener.${key}`,
    ),
  ),
  ...noPlace(
    'a listener is reached from this machine alone, and no proxy before it is trusted',
    ...['proxy_protocol_behavior', 'proxy_protocol_authorized_addrs', 'x_forwarded_for_authorized_addrs'].map(
      (key) => `listener.${key}`,
    ),
    ...['x_forwarded_for_hop_skips', 'x_forwarded_for_reject_not_authorized', 'x_forwarded_for_reject_not_present'].map(
      (key) => `listener.${key}`,
    ),
    ...[
      'cluster_address',
      'purpose',
      'chroot_namespace',
      'redact_addresses',
      'redact_cluster_name',
      'redact_version',
    ].map((key) => `listener.${key}`),
    ...['telemetry', 'telemetry.*', 'profiling', 'profiling.*', 'inflight_requests_logging'].map(
      (key) => `listener.${key}`,
    ),
    ...['inflight_requests_logging.*', 'cors_enabled', 'cors_allowed_origins', 'cors_allowed_headers'].map(
      (key) => `listener.${key}`,
    ),
    'listener.custom_response_headers',
    'listener.custom_response_headers.*',
  ),
];

const PROXY_KEYS: readonly KnownKey[] = [
  ...converted('`proxy`', 'api_proxy'),
  ...converted('`proxy.useAutoAuthToken`', 'api_proxy.use_auto_auth_token', 'cache.use_auto_auth_token'),
  ...converted('`proxy.namespaceAsRoot`', 'api_proxy.prepend_configured_namespace'),
  ...noPlace(
    'the server answers; there is no choice of a node',
    'api_proxy.enforce_consistency',
    'api_proxy.when_inconsistent',
  ),
  ...noPlace(
    'the server answers; there is no choice of a node',
    'cache.enforce_consistency',
    'cache.when_inconsistent',
  ),
  ...converted('`proxy.cache`, when there is a listener', 'cache'),
  ...converted('`proxy.cache.staticKv`', 'cache.cache_static_secrets'),
  ...noPlace(
    'the age of kept secrets has a bound, staticKv.maxStale, instead of events',
    'cache.static_secret_token_capability_refresh_interval',
    'cache.static_secret_token_capability_refresh_behavior',
    'cache.disable_caching_dynamic_secrets',
  ),
  ...noPlace('the cache is in memory only', 'cache.persist', 'cache.persist.*'),
  ...noPlace('the cache is in memory only', 'cache.type'),
];

const PROCESS_KEYS: readonly KnownKey[] = [
  ...noPlace('signal the unit or the container', 'pid_file', 'reload_signal', 'kill_signal'),
  ...noPlace('start pannier init instead of run', 'exit_after_auth', 'once'),
  ...converted('`log.level`', 'log_level'),
  ...converted('`log.format`', 'log_format'),
  ...converted('`log.file`', 'log_file', 'log_file.path'),
  ...noPlace(
    'use logrotate, and SIGHUP',
    ...['bytes', 'duration', 'max_files'].flatMap((key) => [`log_rotate_${key}`, `log_file.log_rotate_${key}`]),
  ),
  ...noPlace('the log goes to standard error, or log.file', 'syslog', 'syslog.*'),
  ...noPlace('admin serves metrics for Prometheus', 'telemetry', 'telemetry.*'),
  ...noPlace('nothing is shared between agents', 'deduplicate', 'deduplicate.*'),
  ...noPlace('there are no blocking queries', 'max_stale', 'block_query_wait', 'block_query_wait_time'),
  ...notThere(CONSUL, 'consul', 'consul.*', 'nomad', 'nomad.*', 'prefix', 'prefix.*', 'service', 'service.*'),
  ...notThere('certificates of a public authority are not there', 'pki_external_ca', 'pki_external_ca.*'),
];

/** Every key that Vault Agent, Vault Proxy, OpenBao's, consul-template and envconsul have. */
export const KNOWN_KEYS: readonly KnownKey[] = [
  ...VAULT_KEYS,
  ...SINK_KEYS,
  ...TEMPLATE_KEYS,
  ...EXEC_KEYS,
  ...PROXY_KEYS,
  ...LISTENER_KEYS,
  ...PROCESS_KEYS,
];

const BY_KEY: ReadonlyMap<string, KnownKey> = new Map(KNOWN_KEYS.map((known) => [known.key, known]));

/** What becomes of a key; undefined when no tool is known to have it. */
export function knownKey(path: string): KnownKey | undefined {
  const exact = BY_KEY.get(path);
  if (exact !== undefined) return exact;
  for (let end = path.lastIndexOf('.'); end > 0; end = path.lastIndexOf('.', end - 1)) {
    const below = BY_KEY.get(`${path.slice(0, end)}.*`);
    if (below !== undefined) return below;
  }
  return undefined;
}
