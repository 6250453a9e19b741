/**
 * Configurations of the shapes that the fixtures of OpenBao's agent and proxy tests have, written for these tests. Each
 * names the lines that cannot be converted.
 */
export interface Shape {
  readonly name: string;
  readonly hcl: string;
  /** What is not converted: its line, and a part of what is said. */
  readonly not?: readonly (readonly [line: number, seen: string])[];
  /** Parts of the configuration that is written. */
  readonly has?: readonly string[];
}

const LOGIN = `auto_auth {
  method "kubernetes" { config = { role = "shop" } }
}
`;

export const SHAPES: readonly Shape[] = [
  {
    name: 'type as a key, labels and both beside each other',
    hcl: `auto_auth {
  method { type = "aws" config = { role = "shop" } }
}
listener "unix" { address = "/run/a.sock" tls_disable = true socket_mode = "0660" socket_group = "2000" }
listener { type = "tcp" address = "127.0.0.1:8300" tls_disable = true }
listener { type = "tcp" address = "127.0.0.1:3000" role = "metrics_only" tls_disable = true }
cache { use_auto_auth_token = true persist = { type = "kubernetes" path = "/c" keep_after_import = true } }
vault { address = "http://127.0.0.1:1111" ca_cert = "/ca.pem" client_cert = "/c.pem" client_key = "/k.pem" tls_skip_verify = "true" }
`,
    has: [
      'auth: { method: aws, role: shop }',
      'tls: { caFile: /ca.pem, certFile: /c.pem, keyFile: /k.pem, skipVerify: true }',
      'socket: /run/a.sock',
      'mode: "0660"',
      'gid: 2000',
      'listen: "127.0.0.1:8300"',
      'useAutoAuthToken: true',
      'admin:\n  listen: "127.0.0.1:3000"',
      'cache.persist: the cache is in memory only',
    ],
  },
  {
    name: 'a sink with encryption',
    hcl: `${LOGIN.replace(/\}\n$/, '')}  sink "file" {
    wrap_ttl = "5m"
    aad = "a"
    dh_type = "curve25519"
    dh_path = "/dh"
    config = { path = "/run/token" }
  }
}
`,
    not: [
      [4, 'auto_auth.sink.wrap_ttl'],
      [5, 'auto_auth.sink.aad'],
      [6, 'auto_auth.sink.dh_type'],
      [7, 'auto_auth.sink.dh_path'],
    ],
  },
  {
    name: 'a plain sink',
    hcl: `${LOGIN.replace(/\}\n$/, '')}  sink { type = "file" config = { path = "/run/token" mode = 0600 } }
}
`,
    not: [[3, 'a sink would write the token']],
  },
  {
    name: 'a wrapped login',
    hcl: `auto_auth { method "aws" { mount_path = "auth/aws2/" wrap_ttl = 300 config = { role = "shop" } } }\n`,
    not: [[1, 'auto_auth.method.wrap_ttl']],
    has: ['auth: { method: aws, role: shop, mount: aws2 }'],
  },
  {
    name: 'waits and exits of a login',
    hcl: `auto_auth {
  enable_reauth_on_new_credentials = true
  method "approle" {
    min_backoff = "5s"
    max_backoff = 60
    exit_on_err = true
    namespace = "/team-a/"
    config = { role_id_file_path = "/r" secret_id_file_path = "/s" secret_id_response_wrapping_path = "auth/approle/role/shop/secret-id" }
  }
}
`,
    has: [
      'namespace: team-a',
      'auth: { method: approle, roleIdFile: /r, secretIdFile: /s, secretIdWrapped: true, removeSecretIdFile: true }',
      'auto_auth.method.exit_on_err: init ends',
    ],
  },
  {
    name: 'a login that is not there',
    hcl: 'auto_auth { method "azure" { config = { role = "shop" resource = "r" } } }\n',
    not: [
      [1, 'there is no login by azure'],
      [1, 'auto_auth.method.config.resource'],
    ],
    has: ['auth: { method: jwt, role: shop, tokenFile: CHANGE-ME }'],
  },
  {
    name: 'templates of all kinds',
    hcl: `${LOGIN}template_config { static_secret_render_interval = 60 exit_on_retry_failure = true max_connections_per_host = 2 }
template {
  contents = "{{ with secret \\"secret/data/a\\" }}{{ .Data.data.b }}{{ end }}"
  destination = "/run/s/one"
  perms = 0644
  backup = true
  error_on_missing_key = true
  create_dest_dirs = true
  sandbox_path = "/x"
  command = "restart service foo"
  command_timeout = "60s"
  wait { min = "2s" max = "10s" }
}
template {
  contents = "<< with secret \\"secret/data/a\\" >><< .Data.data.c >><< end >>"
  left_delimiter = "<<"
  right_delimiter = ">>"
  destination = "/run/s/two"
  perms = "0600"
  user = "1000"
  group = "2000"
  exec { command = ["foo", "bar"] timeout = "10s" }
}
`,
    has: [
      'a: { kv: secret/a, refresh: 1m }',
      'quiet: 2s',
      'maxWait: 10s',
      'content: "{{a.b}}"',
      'content: "{{a.c}}"',
      'mode: "0600"',
      'uid: 1000',
      'gid: 2000',
      '- { command: { argv: [sh, "-c", restart service foo], timeout: 1m } }'.replace(
        'restart service foo',
        '"restart service foo"',
      ),
      '- { command: { argv: [foo, bar], timeout: 10s } }',
    ],
  },
  {
    name: 'a template without a file, a destination and a text',
    hcl: `${LOGIN}template { source = "/no/such.ctmpl" destination = "/run/s/one" }
template { contents = "x" }
template { destination = "/run/s/two" }
`,
    not: [
      [4, 'the template /no/such.ctmpl cannot be read here'],
      [5, 'a template has no destination'],
      [6, 'a template has neither source nor contents'],
    ],
  },
  {
    name: 'modes by number, as text, and odd ones',
    hcl: `${LOGIN}template { contents = "a" destination = "/run/s/a" perms = 0755 }
template { contents = "b" destination = "/run/s/b" perms = 384 }
template { contents = "c" destination = "/run/s/c" perms = 644 }
template { contents = "d" destination = "/run/s/d" perms = "rw" }
`,
    not: [
      [6, 'perms is no file mode'],
      [7, 'perms is no file mode'],
    ],
    has: ['mode: "0755"', 'mode: "0600"'],
  },
  {
    name: 'variables of a child',
    hcl: `${LOGIN}template_config { exit_on_retry_failure = true }
env_template "DB_USER" { contents = "{{ with secret \\"secret/data/db\\" }}{{ .Data.data.user }}{{ end }}" error_on_missing_key = false }
env_template "DB_PASS" { contents = "{{ with secret \\"secret/data/db\\" }}{{ .Data.data.pass }}{{ end }}" }
exec { command = ["/bin/shop", "serve"] restart_on_secret_changes = "never" restart_stop_signal = "SIGINT" }
`,
    has: [
      'db: { kv: secret/db }',
      'command: [/bin/shop, serve]',
      'onChange: none',
      'stopSignal: SIGINT',
      'DB_USER: "{{db.user}}"',
    ],
  },
  {
    name: 'variables with fields of files, without a name, and a wrong signal',
    hcl: `${LOGIN}env_template "A" { contents = "x" destination = "/x" }
env_template { contents = "x" }
exec { command = "env" restart_stop_signal = "SIGNOSUCH" }
`,
    not: [
      [4, 'env_template.destination'],
      [5, 'env_template has no name of a variable'],
      [6, 'no signal has this name'],
    ],
  },
  {
    name: 'a proxy that passes requests on',
    hcl: `${LOGIN}api_proxy { use_auto_auth_token = "force" enforce_consistency = "always" when_inconsistent = "retry" }
listener "tcp" { address = "127.0.0.1:8100" tls_disable = true require_request_header = true }
`,
    has: ['listen: "127.0.0.1:8100"', 'useAutoAuthToken: force', 'api_proxy.enforce_consistency: the server answers'],
  },
  {
    name: 'listeners that are open to others, with TLS, and too many',
    hcl: `${LOGIN}listener "tcp" { address = "0.0.0.0:8200" tls_disable = true }
listener "tcp" { address = "127.0.0.1:8201" tls_cert_file = "/c" tls_key_file = "/k" }
listener "unix" { address = "/a.sock" socket_mode = "odd" socket_user = "root" }
listener "unix" { address = "/b.sock" agent_api { enable_quit = true } }
`,
    not: [
      [4, 'the listener is open to other machines'],
      [5, 'listener.tls_cert_file'],
      [5, 'listener.tls_key_file'],
      [6, 'socket_mode is no mode'],
      [6, 'a user is named'],
      [7, 'there is a second socket'],
    ],
  },
  {
    name: 'a namespace as the root of clients, and a client that ends the agent',
    hcl: `vault { namespace = "team-a/" }
auto_auth { method "kubernetes" { config = { role = "shop" } } }
api_proxy { use_auto_auth_token = true prepend_configured_namespace = true }
listener "unix" { address = "/b.sock" proxy_api { enable_quit = true } }
listener "tcp" { address = "127.0.0.1:9200" role = "metrics_only" tls_disable = true }
`,
    has: ['namespaceAsRoot: true', 'quit: true', 'listen: "127.0.0.1:9200"'],
  },
  {
    name: 'a namespace that clients of the proxy do not get there',
    hcl: `vault { namespace = "team-a" }
auto_auth { method "kubernetes" { config = { role = "shop" } } }
api_proxy { use_auto_auth_token = true }
listener "tcp" { address = "127.0.0.1:9200" role = "metrics_only" agent_api { enable_quit = true } }
`,
    has: ['go to the namespace of the backend', 'metrics are at admin', 'quit: true'],
  },
  {
    name: 'a cache that serves templates only',
    hcl: `${LOGIN}cache {}\ntemplate { contents = "x" destination = "/run/s/x" }\n`,
    has: ['cache: what the agent fetches is fetched once'],
  },
  {
    name: 'connections and the like',
    hcl: `${LOGIN}pid_file = "./pid"
exit_after_auth = true
disable_idle_connections = ["auto-auth", "caching"]
disable_keep_alives = ["foo"]
log_level = "WARN"
log_format = "json"
log_file = "/var/log/agent/"
log_rotate_bytes = 100
telemetry { statsd_address = "x" }
vault { retry { num_retries = 5 } }
`,
    has: [
      'level: warn',
      'format: json',
      'file: /var/log/agent/pannier.log',
      'pid_file: signal the unit',
      'vault.retry',
    ],
  },
  {
    name: 'a stanza of a newer version',
    hcl: `${LOGIN}pki_external_ca "x" { name = "y" }
shiny "new" {
  token = "s.canary"
  count = 2
}
`,
    not: [
      [4, 'pki_external_ca is not there'],
      [5, 'shiny is unknown'],
    ],
    has: ['unknown: shiny "new" { token = "…"; count = 2 }'],
  },
  {
    name: 'consul-template with a token in a file',
    hcl: `vault {
  address = "https://vault:8200"
  vault_agent_token_file = "/run/token"
  renew_token = false
  default_lease_duration = "60s"
  lease_renewal_threshold = 0.9
  ssl { enabled = true verify = false ca_cert = "/ca.pem" cert = "/pair.pem" server_name = "v" }
}
consul { address = "127.0.0.1:8500" }
default_delimiters { left = "[[" right = "]]" }
wait = "5s:10s"
template { contents = "[[ with secret \\"secret/a\\" ]][[ .Data.data.b ]][[ end ]]" destination = "/etc/a/b" }
exec { command = "/bin/app -v" reload_signal = "SIGUSR1" kill_signal = "SIGTERM" kill_timeout = "5s" splay = "1s" }
syslog { enabled = true }
deduplicate { enabled = true }
max_stale = "10m"
`,
    not: [[9, 'consul is not there']],
    has: [
      'auth: { method: token, tokenFile: /run/token }',
      'tls: { caFile: /ca.pem, certFile: /pair.pem, keyFile: /pair.pem, serverName: v, skipVerify: true }',
      'quiet: 5s',
      'refresh: 1m',
      'command: [sh, "-c", "/bin/app -v"]',
      'onChange: signal\n  signal: SIGUSR1',
      '- { signal: { name: SIGUSR1, child: true } }',
      'grace: 5s',
    ],
  },
  {
    name: 'consul-template with a token in the configuration',
    hcl: 'vault {\n  token = "s.canary"\n}\ntemplate { contents = "x" destination = "/etc/a/b" }\n',
    not: [[2, 'a token is written in the configuration']],
    has: ['auth: { method: token, tokenFile: CHANGE-ME }'],
  },
  {
    name: 'consul-template with the service account',
    hcl: 'vault { k8s_auth_role_name = "shop" k8s_service_mount_path = "k8s" }\ntemplate { contents = "x" destination = "/etc/a/b" }\n',
    has: ['auth: { method: kubernetes, role: shop, mount: k8s }'],
  },
  {
    name: 'envconsul',
    hcl: `vault { address = "https://vault:8200" }
upcase = true
sanitize = true
secret { path = "secret/app" no_prefix = true }
secret { path = "secret/data/db" no_prefix = true }
secret {
  path = "secret/keys"
  key { name = "api-key" format = "API" }
}
exec {
  command = "/bin/app"
  env { pristine = true custom = ["A=b{{c"] allowlist = ["PATH", "CONSUL_*"] denylist = ["X"] }
}
`,
    not: [
      [12, 'allowlist has patterns'],
      [12, 'exec.env.denylist'],
    ],
    has: [
      'app: { kv: secret/app }',
      'from: [app, db]',
      'case: upper',
      'keys: identifier',
      'SECRET_KEYS_API: "{{keys.[api-key]}}"',
      'A: "b\\\\{{c"',
      'pristine: true',
      'inherit: [PATH]',
    ],
  },
  {
    name: 'envconsul with the path before each variable',
    hcl: `secret { path = "secret/a" }
secret { path = "database/creds/b" }
secret { path = "secret/{{ env \\"STAGE\\" }}/c" format = "x_{{ key }}" }
secret { format = "y" }
prefix { path = "consul/kv" }
exec { command = ["app"] }
`,
    not: [
      [2, 'whole secrets with different beginnings'],
      [3, 'whole secrets with different beginnings'],
      [4, 'a secret has no path'],
      [5, 'prefix is not there'],
    ],
    has: ['prefix: secret_a_', 'b: { read: database/creds/b }', 'c: { kv: "secret/${env:STAGE}/c" }'],
  },
  {
    name: 'Windows line ends and a byte order mark',
    hcl: `\ufeff${LOGIN}template { contents = "x" destination = "/run/s/x" }\n`.replaceAll('\n', '\r\n'),
    has: ['role: shop'],
  },
  {
    name: 'JSON',
    hcl: JSON.stringify({
      vault: { address: 'https://vault:8200' },
      auto_auth: [{ method: { kubernetes: { config: { role: 'shop' } } } }],
      template: [{ contents: 'x', destination: '/run/s/x', perms: '0640' }],
      listener: [{ tcp: { address: '127.0.0.1:8200', tls_disable: true } }, { unix: { address: '/a.sock' } }],
    }),
    has: ['auth: { method: kubernetes, role: shop }', 'mode: "0640"', 'socket: /a.sock', 'listen: "127.0.0.1:8200"'],
  },
  {
    name: 'a login that is written as the injector writes it',
    hcl: JSON.stringify({
      auto_auth: { method: { type: 'kubernetes', mount_path: 'auth/k8s', config: { role: 'shop', token_path: '/t' } } },
      template: [{ contents: 'x', destination: '/vault/secrets/x', left_delimiter: '{{', right_delimiter: '}}' }],
    }),
    has: ['auth: { method: kubernetes, role: shop, tokenFile: /t, mount: k8s }'],
  },
];
