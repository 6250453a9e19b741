/** What may be done about a failure: again now, after a wait, never with this input, or after a new login. */
export type Retry = 'now' | 'backoff' | 'never' | 'login';

/** 1 runtime failure, 2 configuration or usage, 3 backend unreachable in time, 4 login or permission denied. */
export type ExitStatus = 1 | 2 | 3 | 4;

interface CodeRow {
  readonly exit: ExitStatus;
  readonly retry: Retry;
  /** One sentence for docs/errors.md. */
  readonly meaning: string;
  /** The default hint. */
  readonly hint: string;
}

/**
 * Every failure a user can cause or see. A code is never reused for another meaning. `test/base/codes.test.ts` ties
 * this table to docs/errors.md.
 */
export const CODES = {
  // ---- configuration and usage
  CONFIG_UNREADABLE: row(2, 'never', 'A configuration file cannot be read.', 'Check the path and its permissions.'),
  CONFIG_MALFORMED: row(2, 'never', 'A configuration file is not valid YAML or JSON.', 'Correct the syntax there.'),
  CONFIG_UNKNOWN_KEY: row(2, 'never', 'A key is not part of the schema.', 'Remove it, or see docs/configuration.md.'),
  CONFIG_INVALID: row(2, 'never', 'A value does not fit its key.', 'See docs/configuration.md for what fits.'),
  CONFIG_MISSING: row(2, 'never', 'A required key or section is absent.', 'Add it.'),
  CONFIG_DUPLICATE: row(2, 'never', 'A name or section is defined twice.', 'Keep one of the two.'),
  CONFIG_UNKNOWN_BACKEND: row(2, 'never', 'A secret names a backend that is not configured.', 'Add it to backends.'),
  CONFIG_UNKNOWN_SECRET: row(2, 'never', 'An output names a secret that is not configured.', 'Add it to secrets.'),
  CONFIG_NOT_SUPPORTED: row(2, 'never', 'A known section or key is not yet supported.', 'Remove it for now.'),
  CONFIG_REFERENCE: row(2, 'never', 'A ${env:…} or ${file:…} cannot be filled.', 'Set the variable or make the file.'),
  CONFIG_SAME_DIR: row(2, 'never', 'Two outputs share a directory.', 'Give each output a dir of its own.'),
  CONFIG_DIR_MODE: row(
    2,
    'never',
    'A mode lets others read a file whose directory, as Pannier makes it, lets them not in (a warning).',
    'Set gid and dirMode: "0750" for a group, dirMode: "0755" for all; any dirMode ends the warning.',
  ),
  CONFIG_LITERAL_SECRET: row(
    2,
    'never',
    'A secret is written in the configuration (a warning).',
    'Use a file instead.',
  ),
  CONFIG_TLS_UNSAFE: row(
    2,
    'never',
    'The environment turns certificate checks off, the configuration does not.',
    'Unset the variable, or set tls.skipVerify: true on the backend.',
  ),

  // ---- templates and formats
  TEMPLATE_UNREADABLE: row(2, 'never', 'A template file cannot be read.', 'Check the path and its permissions.'),
  TEMPLATE_SYNTAX: row(2, 'never', 'A template does not parse.', 'See docs/templates.md.'),
  TEMPLATE_UNKNOWN_NAME: row(2, 'never', 'A template names no configured secret.', 'Add the secret, or correct it.'),
  TEMPLATE_UNKNOWN_HELPER: row(2, 'never', 'A template calls no known helper.', 'See docs/templates.md for the list.'),
  TEMPLATE_BAD_ARGUMENT: row(2, 'never', 'A helper is called with arguments it never takes.', 'See docs/templates.md.'),
  TEMPLATE_REFUSED: row(2, 'never', 'A template uses a construct that is turned off.', 'See docs/templates.md.'),
  RENDER_MISSING_FIELD: row(1, 'never', 'A secret has no such field.', 'Correct the name, or add the field.'),
  RENDER_NOT_TEXT: row(1, 'never', 'A value cannot be written as text there.', 'Use json or base64encode.'),
  RENDER_BAD_ARGUMENT: row(1, 'never', 'A helper got an argument it cannot take.', 'See docs/templates.md.'),
  RENDER_KEY: row(1, 'never', 'A key does not fit the format.', 'Rename the field with rename.'),
  RENDER_SAME_KEY: row(1, 'never', 'Two sources give one key.', 'Use rename, or take fewer sources.'),

  // ---- login
  AUTH_CREDENTIAL_UNREADABLE: row(4, 'backoff', 'A credential file of a login cannot be read.', 'Mount it.'),
  AUTH_CREDENTIAL_EMPTY: row(4, 'backoff', 'A credential file of a login is empty.', 'Check who writes it.'),
  AUTH_CREDENTIAL_LEFT: row(
    4,
    'never',
    'A credential file that was to be removed is still there (a warning).',
    'Remove it, or set removeSecretIdFile: false.',
  ),
  AUTH_WRAPPING_USED: row(
    4,
    'backoff',
    'The wrapping token of a secret id was used already, or has ended.',
    'Find out whether somebody read the secret id, and deliver a new one.',
  ),
  AUTH_WRAPPING_PATH: row(
    4,
    'backoff',
    'A wrapping token was not made where the secret ids of the login are made.',
    'Find out who made it: it may be forged. Deliver one of auth/MOUNT/role/ROLE/secret-id.',
  ),
  AUTH_DENIED: row(4, 'backoff', 'The backend refused the login.', 'Check role, mount and the bound identity.'),
  AUTH_UNUSABLE: row(4, 'backoff', 'The login gave a token that cannot be used.', 'Check the role of the login.'),
  AUTH_NO_CREDENTIALS: row(4, 'backoff', 'Nothing gives credentials for AWS.', 'Set up one of the places tried.'),
  AUTH_SERVICE_DOWN: row(
    3,
    'backoff',
    'What gives the credentials for AWS does not answer now.',
    'Check it; it is asked again by itself.',
  ),
  AUTH_EXPIRED: row(
    4,
    'backoff',
    'The credentials have expired.',
    'Renew them; files are read again when they change.',
  ),

  // ---- backend
  BACKEND_UNREACHABLE: row(3, 'backoff', 'No connection to the backend.', 'Check address, network and its health.'),
  BACKEND_TIMEOUT: row(3, 'backoff', 'The backend did not answer in time.', 'Check its load, or raise timeout.'),
  BACKEND_TLS: row(3, 'backoff', 'The TLS handshake with the backend failed.', 'Check tls.caFile and serverName.'),
  BACKEND_UNAVAILABLE: row(3, 'backoff', 'The backend answered 5xx.', 'Check its health; retried by itself.'),
  BACKEND_THROTTLED: row(3, 'backoff', 'The backend asked to slow down (429).', 'Check its quotas; retried by itself.'),
  BACKEND_NOT_READY: row(3, 'backoff', 'The node cannot answer now (412, 472, 473).', 'Retried by itself.'),
  BACKEND_MALFORMED: row(
    1,
    'backoff',
    'The answer is not what this API answers.',
    'Check that address is a server of it.',
  ),
  BACKEND_TOO_LARGE: row(1, 'backoff', 'The answer is larger than 16 MiB.', 'Read less at once.'),
  BACKEND_REDIRECT: row(1, 'backoff', 'A redirect that is not followed.', 'Set address to the right node.'),
  BACKEND_REJECTED: row(1, 'never', 'The backend rejected the request (400).', 'Check path and parameters.'),
  BACKEND_CLOCK: row(1, 'backoff', 'The clock here and that of the backend differ.', 'Set the clock, by NTP.'),
  BACKEND_FILE: row(1, 'backoff', 'The file behind a backend cannot be read or parsed.', 'Correct the file.'),
  CANCELLED: row(1, 'never', 'Ended because the agent stops.', 'Nothing to do.'),

  // ---- secret
  SECRET_DENIED: row(4, 'backoff', 'The login may not read this path (403).', "Extend the login's policy."),
  SECRET_NOT_FOUND: row(1, 'backoff', 'Nothing is stored at this path (404).', 'Check the path, or write the secret.'),
  SECRET_DELETED: row(1, 'backoff', 'The version is soft-deleted.', 'Undelete it, or write a new version.'),
  SECRET_DESTROYED: row(1, 'backoff', 'The version is destroyed.', 'Write a new version.'),
  SECRET_EMPTY: row(1, 'backoff', 'The answer holds no data.', 'Check the path.'),
  SECRET_UNDECRYPTABLE: row(
    4,
    'backoff',
    'The key that encrypts the secret cannot be used.',
    "Allow kms:Decrypt on it in the role's policy and the key's; check that it is enabled.",
  ),
  SECRET_NOT_KV: row(1, 'backoff', 'The mount of a kv secret is not a KV engine.', 'Use read: for this path.'),
  SECRET_STALE: row(1, 'backoff', 'The last refresh failed; the value is still valid.', 'See the failure beside it.'),
  SECRET_EXPIRED: row(
    1,
    'backoff',
    'The value is past its validity, the login of its lease, or its maxStale.',
    'See the failure beside it.',
  ),
  SECRET_NEVER_FETCHED: row(
    3,
    'backoff',
    'No answer has come yet.',
    'Check address, network and health of the backend.',
  ),

  // ---- output
  OUTPUT_WAITING: row(1, 'backoff', 'An output is not published yet.', 'See its secrets.'),
  OUTPUT_NOT_WRITABLE: row(1, 'backoff', 'The destination cannot be written.', 'Check mount, owner and mode.'),
  OUTPUT_NOT_READABLE: row(1, 'backoff', 'What is published cannot be read.', 'Run as the user that publishes.'),
  OUTPUT_FULL: row(1, 'backoff', 'The destination has no space left.', 'Raise the size of the volume.'),
  OUTPUT_SYMLINK: row(
    1,
    'backoff',
    'A symlink in the destination, or on the way to it, leads elsewhere.',
    'Remove the link.',
  ),
  OUTPUT_OCCUPIED: row(1, 'backoff', 'Something that is not ours stands in the way.', 'Remove or rename it.'),
  OUTPUT_NOT_TMPFS: row(
    1,
    'never',
    'The destination is not on tmpfs (a warning, unless requireTmpfs is set).',
    'Let dir be below /run, on a mount of type tmpfs, or in an emptyDir with medium: Memory.',
  ),
  OUTPUT_OWNER: row(1, 'backoff', 'Owner or group cannot be set.', 'Run as root, or set gid to a group of ours.'),

  // ---- reload
  RELOAD_PID_FILE: row(1, 'backoff', 'The pid file cannot be used.', 'Check that the application writes it.'),
  RELOAD_PID_REFUSED: row(
    1,
    'backoff',
    'The pid is never signalled, or not on the word of the owner of the file.',
    'Correct the pid file.',
  ),
  RELOAD_PID_REUSED: row(1, 'backoff', 'The pid belongs to a younger process.', 'Restart the application.'),
  RELOAD_NO_PROCESS: row(1, 'backoff', 'No such process runs.', 'Start the application.'),
  RELOAD_SEVERAL_PROCESSES: row(
    1,
    'backoff',
    'Several processes have this name.',
    'Use pidFile, or set all: true to signal each.',
  ),
  RELOAD_NOT_PERMITTED: row(1, 'backoff', 'The process may not be signalled.', 'Run as its user, or share a uid.'),
  RELOAD_NO_HANDLER: row(
    1,
    'backoff',
    'The child does not handle the signal, or not yet: it would end it.',
    'Handle it in the application, start it with exec in a shell script, or choose another signal.',
  ),
  RELOAD_HTTP_UNREACHABLE: row(
    1,
    'backoff',
    'The application cannot be reached over HTTP.',
    'Check url or socket, and start it.',
  ),
  RELOAD_HTTP_TIMEOUT: row(1, 'backoff', 'The application did not answer in time.', 'Raise timeout, or mend it.'),
  RELOAD_HTTP_TLS: row(1, 'backoff', 'The TLS handshake with the application failed.', 'Check caFile and url.'),
  RELOAD_HTTP_STATUS: row(1, 'backoff', 'The application answered another status.', 'See its log, or set expect.'),
  RELOAD_HTTP_HEADER: row(1, 'backoff', 'A value cannot be sent as a header.', 'Use trim, or base64encode.'),
  RELOAD_COMMAND_MISSING: row(1, 'backoff', 'The command cannot be started.', 'Check path and permissions.'),
  RELOAD_COMMAND_TIMEOUT: row(1, 'backoff', 'The command did not end in time.', 'Raise timeout, or mend it.'),
  RELOAD_COMMAND_FAILED: row(1, 'backoff', 'The command ended with an error.', 'Run it by hand.'),

  // ---- the child of exec
  EXEC_VARIABLE: row(1, 'never', 'A value cannot be a variable.', 'Use base64encode, or a file instead.'),
  EXEC_NOT_STARTED: row(1, 'backoff', 'The command cannot be started.', 'Check its path, its mode and PATH.'),

  // ---- local listeners
  LISTEN_IN_USE: row(1, 'never', 'Another process listens there.', 'Stop it, or take another socket or port.'),
  LISTEN_OCCUPIED: row(1, 'never', 'Something that is no socket stands in the way.', 'Remove or rename it.'),
  LISTEN_FAILED: row(1, 'never', 'A socket or port cannot be listened on.', 'Check directory, permissions and port.'),
  API_BUSY: row(1, 'backoff', 'A listener has all the connections that it takes.', 'Close idle ones, and try again.'),
  API_NO_ROUTE: row(1, 'never', 'A request names a path that does not exist.', 'See docs/api.md.'),
  API_METHOD: row(1, 'never', 'A request uses a method that the path does not take.', 'See the Allow header.'),
  API_MALFORMED: row(1, 'never', 'A request cannot be understood.', 'See docs/api.md.'),
  API_TOO_LARGE: row(1, 'never', 'A request is larger than what is taken.', 'See docs/api.md.'),
  API_TOKEN: row(1, 'never', 'A request carries no token, or a wrong one.', 'Send X-Pannier-Token from tokenFile.'),
  API_TOKEN_FILE: row(1, 'backoff', 'The tokenFile of a listener cannot be used.', 'Make it readable, with one line.'),
  API_FORWARDED: row(1, 'never', 'A request came through a proxy.', 'Ask directly: the API is for this machine only.'),
  API_HOST: row(1, 'never', 'The Host header names no loopback address.', 'Use 127.0.0.1, [::1] or localhost.'),
  API_HEADER_TWICE: row(1, 'never', 'A header that may come once came twice.', 'Send it once.'),
  API_UNKNOWN_SECRET: row(
    1,
    'never',
    'The listener shows no secret of this name.',
    'See GET /v1/secrets, and secrets of the listener.',
  ),
  API_UNKNOWN_FIELD: row(1, 'never', 'The secret has no such field.', 'See GET /v1/secrets/NAME.'),
  API_UNKNOWN_OUTPUT: row(1, 'never', 'The listener knows no output of this name.', 'See GET /v1/status.'),
  API_NOT_PUBLISHED: row(1, 'backoff', 'The output has published nothing that can be reloaded.', 'See GET /v1/status.'),
  API_NOT_ALLOWED: row(1, 'never', 'The listener does not allow this.', 'Set control: true on it.'),
  API_SLOW: row(1, 'backoff', 'What was asked for did not end in time; it goes on.', 'See GET /v1/status.'),
  AGENT_UNREACHABLE: row(1, 'backoff', 'No agent answers at this place.', 'Start it, or name another with --socket.'),
  AGENT_SILENT: row(1, 'backoff', 'An agent did not answer in time.', 'See its log.'),
  STDOUT: row(1, 'never', 'Standard output takes nothing.', 'Check the disk or the program that it goes to.'),
  AGENT_ANSWER: row(1, 'never', 'What answers there is no agent, or one of another version.', 'Check --socket.'),

  PROXY_HEADER: row(1, 'never', 'A request comes without the header that is asked for.', 'Add X-Vault-Request: true.'),
  PROXY_WEB_PAGE: row(1, 'never', 'A web page made a request to the proxy.', 'Only programs may use it.'),
  PROXY_OWN_LOGIN: row(
    1,
    'never',
    "A request would end the agent's own login, or give it away.",
    'Make a token of your own, or set proxy.useAutoAuthToken: false.',
  ),

  INIT_TIMEOUT: row(1, 'never', 'An output was not done when init had to end.', 'Raise --timeout, or see its reload.'),
  AGENT_STALLED: row(1, 'never', 'A part of the agent has stopped moving.', 'Restart it, and please report it.'),
  AGENT_PID_ONE: row(
    1,
    'never',
    'The agent is process 1 (a warning).',
    'Use a small init such as tini: Node reaps only its own children.',
  ),
  AGENT_NOTIFY: row(
    1,
    'never',
    'The service manager cannot be told (a warning).',
    'Install systemd-notify and set NotifyAccess=all, or use Type=exec.',
  ),
  LOG_FILE: row(
    1,
    'never',
    'The log file cannot be written (a warning).',
    'Check path and space, then send SIGHUP; until then lines go to standard error.',
  ),
  INTERNAL: row(1, 'backoff', 'A fault of Pannier itself.', 'Please report it with the log around it.'),
} as const;

export type Code = keyof typeof CODES;

function row(exit: ExitStatus, retry: Retry, meaning: string, hint: string): CodeRow {
  return { exit, retry, meaning, hint };
}
