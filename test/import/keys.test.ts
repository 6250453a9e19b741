import { describe, expect, it } from 'vitest';
import { KNOWN_ANNOTATIONS, knownAnnotation } from '../../src/import/annotations/known.ts';
import { KNOWN_KEYS, knownKey } from '../../src/import/config/keys.ts';

const below = (block: string, keys: string): string[] => keys.split(' ').map((key) => `${block}.${key}`);

const TEMPLATE =
  'source contents destination create_dest_dirs command command_timeout error_on_missing_key error_fatal perms user uid ' +
  'group gid backup left_delimiter right_delimiter function_denylist function_blacklist sandbox_path wait exec';

/** The keys of each tool, by its documentation: Vault Agent and Proxy 1.21, OpenBao 2.7. */
const AGENT = [
  ...'pid_file exit_after_auth log_level log_format log_file log_rotate_bytes log_rotate_duration log_rotate_max_files'.split(
    ' ',
  ),
  ...'disable_idle_connections disable_keep_alives template_config telemetry vault auto_auth api_proxy cache listener'.split(
    ' ',
  ),
  ...'template env_template exec pki_external_ca'.split(' '),
  ...below('vault', 'address ca_cert ca_path client_cert client_key tls_skip_verify tls_server_name namespace retry'),
  'vault.retry.num_retries',
  ...below('auto_auth', 'method sink enable_reauth_on_new_credentials'),
  ...below('auto_auth.method', 'type mount_path namespace wrap_ttl min_backoff max_backoff exit_on_err config'),
  ...below('auto_auth.method.config', 'role role_id_file_path secret_id_file_path remove_secret_id_file_after_reading'),
  ...below('auto_auth.method.config', 'secret_id_response_wrapping_path token_path path remove_jwt_after_reading'),
  ...below(
    'auto_auth.method.config',
    'remove_jwt_follows_symlinks jwt_read_period name ca_cert client_cert client_key',
  ),
  ...below('auto_auth.method.config', 'reload reload_period token_file_path type credential_poll_interval access_key'),
  ...below(
    'auto_auth.method.config',
    'secret_key session_token region header_value nonce resource object_id client_id',
  ),
  ...below('auto_auth.method.config', 'credentials service_account jwt_exp username password_file_path'),
  ...below(
    'auto_auth.method.config',
    'remove_password_after_reading remove_password_follows_symlinks password_read_period',
  ),
  ...below('auto_auth.method.config', 'krb5conf_path keytab_path service realm disable_fast_negotiation'),
  ...below('auto_auth.sink', 'type wrap_ttl dh_type dh_path derive_key aad aad_env_var config'),
  ...below('auto_auth.sink.config', 'path mode uid gid owner group'),
  ...below('template_config', 'exit_on_retry_failure static_secret_render_interval max_connections_per_host'),
  'template_config.lease_renewal_threshold',
  ...below('template', TEMPLATE),
  ...below('env_template', TEMPLATE),
  ...below('template.exec', 'command timeout'),
  ...below('template.wait', 'min max'),
  ...below('exec', 'command restart_on_secret_changes restart_stop_signal'),
  ...below('api_proxy', 'use_auto_auth_token enforce_consistency when_inconsistent prepend_configured_namespace'),
  ...below('cache', 'use_auto_auth_token persist cache_static_secrets disable_caching_dynamic_secrets'),
  ...below('cache', 'static_secret_token_capability_refresh_interval static_secret_token_capability_refresh_behavior'),
  ...below('cache.persist', 'type path keep_after_import exit_on_err service_account_token_file'),
  ...below(
    'listener',
    'type address role require_request_header tls_disable tls_cert_file tls_key_file tls_min_version',
  ),
  ...below('listener', 'tls_max_version tls_cipher_suites tls_require_and_verify_client_cert tls_client_ca_file'),
  ...below('listener', 'tls_disable_client_certs socket_mode socket_user socket_group agent_api proxy_api'),
  ...below('listener', 'http_idle_timeout http_read_timeout http_read_header_timeout http_write_timeout'),
  ...below('listener', 'max_request_size max_request_duration x_forwarded_for_authorized_addrs telemetry profiling'),
  ...below('telemetry', 'statsd_address prometheus_retention_time disable_hostname'),
  'listener.agent_api.enable_quit',
  'listener.proxy_api.enable_quit',
];

/** consul-template 0.42. */
const CONSUL_TEMPLATE = [
  ...'consul nomad vault template exec wait syslog deduplicate default_delimiters kill_signal reload_signal'.split(' '),
  ...'log_level log_file max_stale pid_file block_query_wait template_error_fatal err_on_failed_lookup'.split(' '),
  ...below(
    'vault',
    'address enabled namespace renew_token retry ssl token vault_agent_token_file transport unwrap_token',
  ),
  ...below('vault', 'client_user_agent default_lease_duration lease_renewal_threshold k8s_auth_role_name'),
  ...below('vault', 'k8s_service_account_token_path k8s_service_account_token k8s_service_mount_path'),
  ...below('vault.ssl', 'enabled verify cert key ca_cert ca_cert_bytes ca_path server_name'),
  ...below('vault.retry', 'enabled attempts backoff max_backoff'),
  ...below('vault.transport', 'dial_keep_alive dial_timeout disable_keep_alives idle_conn_timeout max_idle_conns'),
  ...below('template', TEMPLATE),
  ...below('template.exec', 'command enabled env kill_signal kill_timeout reload_signal splay timeout'),
  ...below('template.wait', 'enabled min max'),
  ...below('wait', 'enabled min max'),
  ...below('exec', 'command enabled env kill_signal kill_timeout reload_signal splay timeout'),
  ...below('exec.env', 'denylist blacklist custom pristine allowlist whitelist'),
  ...below('default_delimiters', 'left right'),
  ...below('log_file', 'path log_rotate_bytes log_rotate_duration log_rotate_max_files'),
  ...below('deduplicate', 'enabled prefix max_stale ttl block_query_wait'),
  ...below('syslog', 'enabled facility name'),
  ...below('consul', 'address token auth retry ssl transport namespace token_file'),
];

/** envconsul 0.13. */
const ENVCONSUL = [
  ...'consul exec kill_signal log_level max_stale pid_file prefix pristine reload_signal sanitize secret service'.split(
    ' ',
  ),
  ...'syslog upcase vault wait'.split(' '),
  ...below('secret', 'path no_prefix format key'),
  ...below('secret.key', 'name format'),
  ...below('prefix', 'path no_prefix format key'),
  ...below('service', 'query format_id format_name format_address format_tag format_port'),
];

/** vault-k8s 1.7, without their prefix; NAME stands for the name of a file. */
const ANNOTATIONS =
  'agent-inject agent-inject-status agent-inject-secret-NAME agent-inject-template-NAME agent-inject-template-file-NAME ' +
  'agent-inject-default-template agent-template-left-delim-NAME agent-template-right-delim-NAME agent-inject-file-NAME ' +
  'agent-inject-perms-NAME agent-inject-command-NAME error-on-missing-key-NAME secret-volume-path secret-volume-path-NAME ' +
  'preserve-secret-case preserve-secret-case-NAME agent-inject-containers agent-inject-token agent-image agent-pre-populate ' +
  'agent-pre-populate-only agent-init-first agent-configmap agent-extra-secret agent-copy-volume-mounts ' +
  'agent-service-account-token-volume-name agent-limits-cpu agent-limits-mem agent-limits-ephemeral agent-requests-cpu ' +
  'agent-requests-mem agent-requests-ephemeral agent-revoke-on-shutdown agent-revoke-grace agent-run-as-user ' +
  'agent-run-as-group agent-run-as-same-user agent-set-security-context agent-share-process-namespace agent-json-patch ' +
  'agent-init-json-patch agent-cache-enable agent-cache-use-auto-auth-token agent-cache-listener-port ' +
  'agent-cache-exit-on-err agent-enable-quit agent-telemetry-statsd-address agent-auto-auth-exit-on-err ' +
  'agent-disable-idle-connections agent-disable-keep-alives auth-type auth-path role auth-config-role auth-min-backoff ' +
  'auth-max-backoff template-config-exit-on-retry-failure template-static-secret-render-interval ' +
  'template-max-connections-per-host template-lease-renewal-threshold service namespace proxy-address tls-skip-verify ' +
  'tls-secret tls-server-name ca-cert ca-key client-cert client-key client-max-retries client-timeout log-level log-format ' +
  'go-max-procs agent-request-namespace';

describe('the table of keys', () => {
  it.each([
    ['Vault Agent, Vault Proxy and those of OpenBao', AGENT],
    ['consul-template', CONSUL_TEMPLATE],
    ['envconsul', ENVCONSUL],
  ])('has an answer for every key of %s', (_tool, keys) => {
    expect(keys.filter((key) => knownKey(key) === undefined)).toEqual([]);
  });

  it('has an answer for every annotation of the injector', () => {
    expect(ANNOTATIONS.split(' ').filter((name) => knownAnnotation(name) === undefined)).toEqual([]);
  });

  it('names each key and annotation once', () => {
    const names = [...KNOWN_KEYS.map(({ key }) => key), ...KNOWN_ANNOTATIONS.map(({ name }) => `@${name}`)];
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it('knows nothing of other keys', () => {
    expect(['shiny', 'vault.shiny', 'template.shiny'].map(knownKey)).toEqual([undefined, undefined, undefined]);
    expect(['agent-shiny', 'agent-inject-secret-', 'agent-inject-file-'].map(knownAnnotation)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
