import { madeOnce } from './made-once.ts';

/** When a failed call may be tried again: at once, after a wait, never with this input, or after a new login. */
export type Retry = 'now' | 'backoff' | 'never' | 'login';

/** 1: failure at run time; 2: configuration or usage; 3: backend unreachable in time; 4: login or permission denied. */
export type ExitStatus = 1 | 2 | 3 | 4;

interface CodeRow {
  readonly exit: ExitStatus;
  readonly retry: Retry;
  /** What to do next. A failure can carry a better one of its own. */
  readonly hint: string;
}

/**
 * Every failure that a user can cause or see. A code keeps its meaning for ever. docs/errors.md is made from this
 * table, and `test/docs/errors.test.ts` compares the two. It is made with the first failure: a start without one does
 * not even have its bytecode.
 */
const makeTable = () => ({
  // ---- configuration and usage
  CONFIG_UNREADABLE: row(2, 'never', 'Check the path and its permissions.'),
  CONFIG_MALFORMED: row(2, 'never', 'Correct the syntax at this place.'),
  CONFIG_UNKNOWN_KEY: row(2, 'never', 'Remove the key, or see docs/configuration.md for the keys there are.'),
  CONFIG_INVALID: row(2, 'never', 'See docs/configuration.md for what fits.'),
  CONFIG_MISSING: row(2, 'never', 'Add the missing key or section.'),
  CONFIG_DUPLICATE: row(2, 'never', 'Keep one of the two.'),
  CONFIG_UNKNOWN_BACKEND: row(2, 'never', 'Add it to the section backends, or correct the name.'),
  CONFIG_UNKNOWN_SECRET: row(2, 'never', 'Add it to the section secrets, or correct the name.'),
  CONFIG_NOT_SUPPORTED: row(2, 'never', 'Remove it for now.'),
  CONFIG_REFERENCE: row(2, 'never', 'Set the variable, or provide the file.'),
  CONFIG_SAME_DIR: row(2, 'never', 'Give each of the two a path of its own, outside the other.'),
  CONFIG_DIR_MODE: row(
    2,
    'never',
    'Set gid and dirMode: "0750" for a group, dirMode: "0755" for all; any dirMode ends the warning.',
  ),
  CONFIG_LITERAL_SECRET: row(2, 'never', 'Use a file instead.'),
  CONFIG_UNUSED: row(2, 'never', 'Remove it, or let something use it.'),
  CONFIG_DOUBTFUL: row(2, 'never', 'Correct it; when it is meant so, nothing is to be done.'),
  CONFIG_TLS_UNSAFE: row(2, 'never', 'Unset the variable, or set tls.skipVerify: true on the backend.'),

  // ---- templates and formats
  TEMPLATE_UNREADABLE: row(2, 'never', 'Check the path and its permissions.'),
  TEMPLATE_SYNTAX: row(2, 'never', 'See docs/templates.md.'),
  TEMPLATE_UNKNOWN_NAME: row(2, 'never', 'Add the secret, or correct the name.'),
  TEMPLATE_UNKNOWN_HELPER: row(2, 'never', 'See docs/templates.md for those that exist.'),
  TEMPLATE_BAD_ARGUMENT: row(2, 'never', 'See docs/templates.md.'),
  TEMPLATE_REFUSED: row(2, 'never', 'See docs/templates.md.'),
  RENDER_MISSING_FIELD: row(1, 'never', 'Correct the name, or add the field to the secret.'),
  RENDER_NOT_TEXT: row(1, 'never', 'Use the helper json or base64encode.'),
  RENDER_BAD_ARGUMENT: row(1, 'never', 'See docs/templates.md.'),
  RENDER_BAD_CERTIFICATE: row(1, 'never', 'See docs/keystores.md.'),
  RENDER_TOO_LARGE: row(1, 'never', 'Loop over less, or write less in each turn.'),
  RENDER_KEY: row(1, 'never', 'Rename the field with rename, or set keys: identifier.'),
  RENDER_SAME_KEY: row(1, 'never', 'Use rename, or take fewer sources.'),

  // ---- login
  AUTH_CREDENTIAL_UNREADABLE: row(4, 'backoff', 'Check that the file is mounted, and its owner and mode.'),
  AUTH_CREDENTIAL_EMPTY: row(4, 'backoff', 'Check the program that writes the file.'),
  AUTH_CREDENTIAL_LEFT: row(4, 'never', 'Remove the file, or set removeSecretIdFile: false.'),
  AUTH_KEY_MADE: row(4, 'never', 'Keep the file over restarts.'),
  AUTH_WRAPPING_USED: row(4, 'backoff', 'Find out whether someone else read the secret id, and deliver a new one.'),
  AUTH_WRAPPING_PATH: row(
    4,
    'backoff',
    'Find out who made it, since it may be forged. Deliver one that auth/MOUNT/role/ROLE/secret-id made.',
  ),
  AUTH_DENIED: row(4, 'backoff', 'Check the role, the mount and the bound identity.'),
  AUTH_UNUSABLE: row(4, 'backoff', 'Check the role of the login.'),
  AUTH_NO_CREDENTIALS: row(4, 'backoff', 'Set up one of the places that the message lists.'),
  AUTH_SERVICE_DOWN: row(3, 'backoff', 'Check the service; the agent tries again by itself.'),
  AUTH_EXPIRED: row(4, 'backoff', 'Renew them; the agent reads changed files again.'),

  // ---- backend
  BACKEND_UNREACHABLE: row(3, 'backoff', 'Check the address, the network and the health of the backend.'),
  BACKEND_TIMEOUT: row(3, 'backoff', 'Check the load of the backend, or raise timeout.'),
  BACKEND_TLS: row(3, 'backoff', 'Check tls.caFile and tls.serverName.'),
  BACKEND_UNAVAILABLE: row(3, 'backoff', 'Check the health of the backend; the agent tries again by itself.'),
  BACKEND_THROTTLED: row(3, 'backoff', 'Check the quotas of the backend; the agent tries again by itself.'),
  BACKEND_NOT_READY: row(3, 'backoff', 'Nothing to do: the agent tries again by itself.'),
  BACKEND_MALFORMED: row(1, 'backoff', 'Check that address names a server of this API.'),
  BACKEND_TOO_LARGE: row(1, 'backoff', 'Read less at once.'),
  BACKEND_REDIRECT: row(1, 'backoff', 'Set address to the server that answers requests itself.'),
  BACKEND_REJECTED: row(1, 'never', 'Check the path and its parameters.'),
  BACKEND_CLOCK: row(1, 'backoff', 'Set the clock with NTP.'),
  BACKEND_FILE: row(1, 'backoff', 'Correct the file.'),
  CANCELLED: row(1, 'never', 'Nothing to do.'),

  // ---- state
  STATE_KEY: row(1, 'never', 'Give state.keyFile or state.keyEnv at least 32 random bytes: openssl rand -base64 32.'),
  STATE_UNREADABLE: row(
    1,
    'never',
    'If the key was changed by mistake, restore it and start again: refused is taken up then.',
  ),
  STATE_IN_USE: row(1, 'never', 'Give each agent a state of its own.'),
  STATE_NOT_WRITABLE: row(1, 'backoff', 'Check the directory in state.path, its owner and its space.'),

  // ---- secret
  SECRET_DENIED: row(4, 'backoff', "Extend the login's policy."),
  SECRET_NOT_FOUND: row(1, 'backoff', 'Check the path, or write the secret.'),
  SECRET_DELETED: row(1, 'backoff', 'Undelete it, or write a new version.'),
  SECRET_DESTROYED: row(1, 'backoff', 'Write a new version.'),
  SECRET_EMPTY: row(1, 'backoff', 'Check the path.'),
  SECRET_UNDECRYPTABLE: row(
    4,
    'backoff',
    "Allow kms:Decrypt in the role's policy and in the key's, and check that the key is enabled.",
  ),
  SECRET_IS_KV: row(1, 'never', 'Fetch it with kv: its fields are then the stored ones.'),
  SECRET_KV_DATA: row(1, 'never', 'Write data/ twice when it is in the name.'),
  SECRET_NOT_KV: row(1, 'backoff', 'Use read: for this path.'),
  CERTIFICATE_UNFIT: row(1, 'backoff', 'See docs/certificates.md.'),
  CERTIFICATE_REFUSED: row(1, 'backoff', 'Follow its words, and docs/acme.md.'),
  ACME_CHALLENGE_FAILED: row(1, 'backoff', 'See docs/acme.md.'),
  ACME_CHALLENGE_LEFT: row(1, 'never', 'Remove it.'),
  CERTIFICATE_CA_UNREADABLE: row(1, 'backoff', 'Check its path and permissions.'),
  CERTIFICATE_SHORTENED: row(1, 'never', 'Raise max_ttl, or ask for less.'),
  CERTIFICATE_REVOKED: row(1, 'never', 'Find out who revoked it.'),
  CERTIFICATE_CA_CHANGED: row(1, 'never', 'That is fine if it was meant.'),
  CERTIFICATE_KEPT_IGNORED: row(1, 'never', 'See who changed the file.'),
  CERTIFICATE_NOT_REVOKED: row(1, 'never', 'Allow update on MOUNT/revoke.'),
  LEASE_NOT_REVOKED: row(1, 'never', 'Allow update on sys/leases/revoke.'),
  LEASE_ENDS_IN_USE: row(1, 'never', 'See what holds the output back, and run pannier resume when that is mended.'),
  SECRET_STALE: row(1, 'backoff', 'See the failure of the refresh.'),
  SECRET_EXPIRED: row(1, 'backoff', 'See the failure of the last refresh.'),
  SECRET_NEVER_FETCHED: row(3, 'backoff', 'Check the address, the network and the health of the backend.'),

  // ---- output
  OUTPUT_WAITING: row(1, 'backoff', 'See the state of its secrets.'),
  OUTPUT_NOT_WRITABLE: row(1, 'backoff', 'Check its mount, owner and mode.'),
  OUTPUT_NOT_READABLE: row(1, 'backoff', 'Run the command as the user that the agent runs as.'),
  OUTPUT_FULL: row(1, 'backoff', 'Raise the size of the volume.'),
  OUTPUT_SYMLINK: row(1, 'backoff', 'Remove the link.'),
  OUTPUT_OCCUPIED: row(1, 'backoff', 'Remove or rename it.'),
  OUTPUT_NOT_TMPFS: row(
    1,
    'never',
    'Put dir below /run, on a mount of type tmpfs, or in an emptyDir with medium: Memory.',
  ),
  OUTPUT_OWNER: row(1, 'backoff', 'Run as root, or set gid to a group that the agent is in.'),

  OUTPUT_IN_USE: row(1, 'never', 'Stop one of the two, or give each a directory of its own.'),
  OUTPUT_UNGUARDED: row(1, 'never', 'See that no second agent uses the directory, or use a tmpfs.'),
  OUTPUT_CHECK_FAILED: row(
    1,
    'backoff',
    'Write the files with pannier render --out DIR --reveal, and run the command on them by hand.',
  ),
  OUTPUT_VERIFY_FAILED: row(
    1,
    'backoff',
    "See the application's log; the generation before is published again, if there is one.",
  ),
  OUTPUT_DRIFTED: row(1, 'backoff', 'Find out which process writes there.'),
  OUTPUT_HELD: row(1, 'backoff', 'Correct the value at its backend, or run pannier resume.'),

  // ---- reload
  RELOAD_PID_FILE: row(1, 'backoff', 'Check that the application writes it.'),
  RELOAD_PID_REFUSED: row(1, 'backoff', 'Correct the pid file.'),
  RELOAD_PID_REUSED: row(1, 'backoff', 'Restart the application.'),
  RELOAD_NO_PROCESS: row(1, 'backoff', 'Start the application.'),
  RELOAD_SEVERAL_PROCESSES: row(1, 'backoff', 'Use pidFile, or set all: true to signal each.'),
  RELOAD_NOT_PERMITTED: row(1, 'backoff', 'Run Pannier as the user of the process.'),
  RELOAD_NO_HANDLER: row(
    1,
    'backoff',
    'Handle it in the application, start it with exec in a shell script, or choose another signal.',
  ),
  RELOAD_HTTP_UNREACHABLE: row(1, 'backoff', 'Check url or socket, and start it.'),
  RELOAD_HTTP_TIMEOUT: row(1, 'backoff', "Raise timeout, or see the application's log."),
  RELOAD_HTTP_TLS: row(1, 'backoff', 'Check caFile and url.'),
  RELOAD_HTTP_STATUS: row(1, 'backoff', "See the application's log, or set expect."),
  RELOAD_HTTP_HEADER: row(1, 'backoff', 'Use trim, or base64encode.'),
  RELOAD_COMMAND_MISSING: row(1, 'backoff', 'Check its path and permissions.'),
  RELOAD_COMMAND_TIMEOUT: row(1, 'backoff', 'Raise timeout, or run it by hand to see what it waits for.'),
  RELOAD_COMMAND_FAILED: row(1, 'backoff', 'Run it by hand to see why.'),

  // ---- the child of exec
  EXEC_VARIABLE: row(1, 'never', 'Use base64encode, or a file instead.'),
  EXEC_NOT_STARTED: row(1, 'backoff', 'Check its path, its mode and PATH.'),

  // ---- local listeners
  LISTEN_IN_USE: row(1, 'never', 'Stop it, or take another socket or port.'),
  LISTEN_OCCUPIED: row(1, 'never', 'Remove or rename it.'),
  LISTEN_FAILED: row(1, 'never', 'Check its directory, permissions and port.'),
  API_BUSY: row(1, 'backoff', 'Close idle connections, and try again.'),
  API_NO_ROUTE: row(1, 'never', 'See docs/api.md.'),
  API_METHOD: row(1, 'never', 'See the Allow header.'),
  API_MALFORMED: row(1, 'never', 'See docs/api.md.'),
  API_TOO_LARGE: row(1, 'never', 'See docs/api.md.'),
  API_TOKEN: row(1, 'never', 'Send the token of tokenFile in X-Pannier-Token.'),
  API_TOKEN_FILE: row(1, 'backoff', 'Make it readable, with one line.'),
  API_FORWARDED: row(1, 'never', 'Send it directly: the API is for this machine only.'),
  API_HOST: row(1, 'never', 'Use 127.0.0.1, [::1] or localhost.'),
  API_HEADER_TWICE: row(1, 'never', 'Send it once.'),
  API_UNKNOWN_SECRET: row(1, 'never', 'See GET /v1/secrets, and the key secrets of the listener.'),
  API_UNKNOWN_FIELD: row(1, 'never', 'See GET /v1/secrets/NAME.'),
  API_UNKNOWN_OUTPUT: row(1, 'never', 'See GET /v1/status.'),
  API_NOT_PUBLISHED: row(1, 'backoff', 'See GET /v1/status.'),
  API_NO_PREVIOUS: row(1, 'never', 'See GET /v1/status.'),
  API_NOT_HELD: row(1, 'never', 'See GET /v1/status.'),
  API_NOT_ALLOWED: row(1, 'never', 'Set control: true on the listener.'),
  API_SLOW: row(1, 'backoff', 'See GET /v1/status.'),
  AGENT_UNREACHABLE: row(1, 'backoff', 'Start the agent, or name another socket with --socket.'),
  AGENT_SILENT: row(1, 'backoff', 'See its log.'),
  STDOUT: row(1, 'never', 'Check the disk or the program that it goes to.'),
  AGENT_ANSWER: row(1, 'never', 'Check --socket.'),

  SDS_UNUSABLE: row(1, 'never', 'Name a secret that holds it, or a field of it.'),
  SDS_REFUSED: row(1, 'never', 'Correct the secret at the backend; the client goes on with what it had.'),
  SDS_BUSY: row(1, 'backoff', 'Raise maxStreams or onDemand.max, or look for a client that opens too many.'),

  PROXY_HEADER: row(1, 'never', 'Add X-Vault-Request: true.'),
  PROXY_WEB_PAGE: row(1, 'never', 'Only programs may use it.'),
  PROXY_OWN_LOGIN: row(1, 'never', 'Use a token of your own, or set proxy.useAutoAuthToken: false.'),

  FEED_DOWN: row(1, 'backoff', 'Secrets are polled at refresh meanwhile; see docs/push.md.'),

  INJECTOR_CERTIFICATE: row(1, 'backoff', 'Check the two files; a certificate that was read before stays in use.'),
  INJECTOR_API_SERVER: row(1, 'backoff', 'Check the role of the service account: get and patch of this webhook.'),

  CHECK_TIMEOUT: row(3, 'backoff', 'See whether its server or file system hangs, or raise --timeout.'),
  INIT_TIMEOUT: row(1, 'never', 'Raise --timeout, or see its reload.'),
  AGENT_STALLED: row(1, 'never', 'Restart it, and please report it.'),
  AGENT_PID_ONE: row(1, 'never', 'Use a small init such as tini: Node reaps only its own children.'),
  AGENT_NODE_OPTIONS: row(1, 'never', 'Set them for the program that needs them, and not for the whole container.'),
  AGENT_NOTIFY: row(1, 'never', 'Install systemd-notify and set NotifyAccess=all, or use Type=exec.'),
  LOG_FILE: row(1, 'never', 'Check path and space, then send SIGHUP; until then lines go to standard error.'),
  LOG_AUDIT: row(1, 'backoff', 'Check the program that reads the lines; they wait, and are in the log meanwhile.'),
  LOGS_UNUSABLE: row(1, 'never', 'Correct the variable or the key, and start the agent again.'),
  LOGS_NOT_SENT: row(1, 'backoff', 'Check the address of the receiver and its health; the agent goes on without.'),
  TRACES_UNUSABLE: row(1, 'never', 'Correct the variable or the key, and start the agent again.'),
  TRACES_NOT_SENT: row(1, 'backoff', 'Check the address of the receiver and its health; the agent goes on without.'),
  INTERNAL: row(1, 'backoff', 'Please report it with the log around it.'),
});

export type Code = keyof ReturnType<typeof makeTable>;

/** What is known of each code. */
export const codeTable: () => Readonly<Record<Code, CodeRow>> = madeOnce(makeTable);

function row(exit: ExitStatus, retry: Retry, hint: string): CodeRow {
  return { exit, retry, hint };
}
