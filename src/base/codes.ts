/** When a failed call may be tried again: at once, after a wait, never with this input, or after a new login. */
export type Retry = 'now' | 'backoff' | 'never' | 'login';

/** 1: failure at run time; 2: configuration or usage; 3: backend unreachable in time; 4: login or permission denied. */
export type ExitStatus = 1 | 2 | 3 | 4;

interface CodeRow {
  readonly exit: ExitStatus;
  readonly retry: Retry;
  /** One sentence for docs/errors.md; it ends with `(a warning).` when the code never ends a command. */
  readonly meaning: string;
  /** What to do next. A failure can carry a better one of its own. */
  readonly hint: string;
}

/**
 * Every failure that a user can cause or see. A code keeps its meaning for ever. docs/errors.md is made from this
 * table, and `test/docs/errors.test.ts` compares the two.
 */
export const CODES = {
  // ---- configuration and usage
  CONFIG_UNREADABLE: row(2, 'never', 'A configuration file cannot be read.', 'Check the path and its permissions.'),
  CONFIG_MALFORMED: row(
    2,
    'never',
    'A configuration file is not valid YAML or JSON.',
    'Correct the syntax at this place.',
  ),
  CONFIG_UNKNOWN_KEY: row(
    2,
    'never',
    'A key is not part of the schema.',
    'Remove the key, or see docs/configuration.md for the keys there are.',
  ),
  CONFIG_INVALID: row(2, 'never', 'A value does not fit its key.', 'See docs/configuration.md for what fits.'),
  CONFIG_MISSING: row(2, 'never', 'A required key or section is absent.', 'Add the missing key or section.'),
  CONFIG_DUPLICATE: row(2, 'never', 'A name or section is defined twice.', 'Keep one of the two.'),
  CONFIG_UNKNOWN_BACKEND: row(
    2,
    'never',
    'A secret or the proxy names a backend that is not configured.',
    'Add it to the section backends, or correct the name.',
  ),
  CONFIG_UNKNOWN_SECRET: row(
    2,
    'never',
    'An output or a listener names a secret that is not configured.',
    'Add it to the section secrets, or correct the name.',
  ),
  CONFIG_NOT_SUPPORTED: row(
    2,
    'never',
    'A section, a key or a value is known, but not yet supported.',
    'Remove it for now.',
  ),
  CONFIG_REFERENCE: row(
    2,
    'never',
    'A reference ${env:…} or ${file:…} cannot be filled in.',
    'Set the variable, or provide the file.',
  ),
  CONFIG_SAME_DIR: row(
    2,
    'never',
    'The directory of an output is that of another one, or lies inside it.',
    'Give each output a directory of its own.',
  ),
  CONFIG_DIR_MODE: row(
    2,
    'never',
    'A mode lets others read a file, but the directory that Pannier makes for it does not let them in (a warning).',
    'Set gid and dirMode: "0750" for a group, dirMode: "0755" for all; any dirMode ends the warning.',
  ),
  CONFIG_LITERAL_SECRET: row(
    2,
    'never',
    'A secret is written in the configuration (a warning).',
    'Use a file instead.',
  ),
  CONFIG_UNUSED: row(
    2,
    'never',
    'Nothing uses a part of the configuration (a warning).',
    'Remove it, or let something use it.',
  ),
  CONFIG_TLS_UNSAFE: row(
    2,
    'never',
    'An environment variable turns certificate checks off, and the configuration does not.',
    'Unset the variable, or set tls.skipVerify: true on the backend.',
  ),

  // ---- templates and formats
  TEMPLATE_UNREADABLE: row(2, 'never', 'A template file cannot be read.', 'Check the path and its permissions.'),
  TEMPLATE_SYNTAX: row(2, 'never', 'A template does not parse.', 'See docs/templates.md.'),
  TEMPLATE_UNKNOWN_NAME: row(
    2,
    'never',
    'A template uses a name that is no configured secret and no variable.',
    'Add the secret, or correct the name.',
  ),
  TEMPLATE_UNKNOWN_HELPER: row(
    2,
    'never',
    'A template calls a helper or a block that does not exist.',
    'See docs/templates.md for those that exist.',
  ),
  TEMPLATE_BAD_ARGUMENT: row(
    2,
    'never',
    'A template calls a helper with arguments that the helper never takes.',
    'See docs/templates.md.',
  ),
  TEMPLATE_REFUSED: row(2, 'never', 'A template uses a construct that is turned off.', 'See docs/templates.md.'),
  RENDER_MISSING_FIELD: row(
    1,
    'never',
    'A template or a format uses a field that the secret does not have.',
    'Correct the name, or add the field to the secret.',
  ),
  RENDER_NOT_TEXT: row(
    1,
    'never',
    'A value cannot be written as text, such as a list, a map or bytes that are not UTF-8.',
    'Use the helper json or base64encode.',
  ),
  RENDER_BAD_ARGUMENT: row(1, 'never', 'A helper was given a value that it cannot use.', 'See docs/templates.md.'),
  RENDER_BAD_CERTIFICATE: row(
    1,
    'never',
    'Certificates, a private key or the password of a keystore cannot be written in the form that is asked for.',
    'See docs/keystores.md.',
  ),
  RENDER_KEY: row(
    1,
    'never',
    'A key does not fit the format.',
    'Rename the field with rename, or set keys: identifier.',
  ),
  RENDER_SAME_KEY: row(
    1,
    'never',
    'Two fields would have the same key in a file.',
    'Use rename, or take fewer sources.',
  ),

  // ---- login
  AUTH_CREDENTIAL_UNREADABLE: row(
    4,
    'backoff',
    'A credential file of a login cannot be read.',
    'Check that the file is mounted, and its owner and mode.',
  ),
  AUTH_CREDENTIAL_EMPTY: row(
    4,
    'backoff',
    'A credential file of a login is empty.',
    'Check the program that writes the file.',
  ),
  AUTH_CREDENTIAL_LEFT: row(
    4,
    'never',
    'A credential file that Pannier was to remove is still there (a warning).',
    'Remove the file, or set removeSecretIdFile: false.',
  ),
  AUTH_KEY_MADE: row(4, 'never', 'A new account key was made (a warning).', 'Keep the file over restarts.'),
  AUTH_WRAPPING_USED: row(
    4,
    'backoff',
    'The wrapping token of a secret id was already used, or has expired.',
    'Find out whether someone else read the secret id, and deliver a new one.',
  ),
  AUTH_WRAPPING_PATH: row(
    4,
    'backoff',
    'A wrapping token was made by another path than the one that makes the secret ids of the login.',
    'Find out who made it, since it may be forged. Deliver one that auth/MOUNT/role/ROLE/secret-id made.',
  ),
  AUTH_DENIED: row(4, 'backoff', 'The backend refused the login.', 'Check the role, the mount and the bound identity.'),
  AUTH_UNUSABLE: row(4, 'backoff', 'The login gave a token that cannot be used.', 'Check the role of the login.'),
  AUTH_NO_CREDENTIALS: row(
    4,
    'backoff',
    'No credentials for AWS were found.',
    'Set up one of the places that the message lists.',
  ),
  AUTH_SERVICE_DOWN: row(
    3,
    'backoff',
    'The service that gives the credentials for AWS does not answer now.',
    'Check the service; the agent tries again by itself.',
  ),
  AUTH_EXPIRED: row(4, 'backoff', 'The credentials have expired.', 'Renew them; the agent reads changed files again.'),

  // ---- backend
  BACKEND_UNREACHABLE: row(
    3,
    'backoff',
    'The backend cannot be reached.',
    'Check the address, the network and the health of the backend.',
  ),
  BACKEND_TIMEOUT: row(
    3,
    'backoff',
    'The backend did not answer in time.',
    'Check the load of the backend, or raise timeout.',
  ),
  BACKEND_TLS: row(3, 'backoff', 'The TLS handshake with the backend failed.', 'Check tls.caFile and tls.serverName.'),
  BACKEND_UNAVAILABLE: row(
    3,
    'backoff',
    'The backend answered with a status of 500 or above.',
    'Check the health of the backend; the agent tries again by itself.',
  ),
  BACKEND_THROTTLED: row(
    3,
    'backoff',
    'The backend asked the agent to slow down (429).',
    'Check the quotas of the backend; the agent tries again by itself.',
  ),
  BACKEND_NOT_READY: row(
    3,
    'backoff',
    'The server cannot answer the request now (412, 472, 473).',
    'Nothing to do: the agent tries again by itself.',
  ),
  BACKEND_MALFORMED: row(
    1,
    'backoff',
    'The answer does not follow the API of the backend.',
    'Check that address names a server of this API.',
  ),
  BACKEND_TOO_LARGE: row(1, 'backoff', 'The answer is larger than 16 MiB.', 'Read less at once.'),
  BACKEND_REDIRECT: row(
    1,
    'backoff',
    'The backend answered with a redirect that Pannier does not follow.',
    'Set address to the server that answers requests itself.',
  ),
  BACKEND_REJECTED: row(1, 'never', 'The backend rejected the request (400).', 'Check the path and its parameters.'),
  BACKEND_CLOCK: row(
    1,
    'backoff',
    'The clocks of this machine and of the backend differ too much.',
    'Set the clock with NTP.',
  ),
  BACKEND_FILE: row(1, 'backoff', 'A file of a file backend cannot be read or parsed.', 'Correct the file.'),
  CANCELLED: row(1, 'never', 'The work was cancelled because the agent stops.', 'Nothing to do.'),

  // ---- secret
  SECRET_DENIED: row(4, 'backoff', 'The login may not read this path (403).', "Extend the login's policy."),
  SECRET_NOT_FOUND: row(1, 'backoff', 'Nothing is stored at this path (404).', 'Check the path, or write the secret.'),
  SECRET_DELETED: row(
    1,
    'backoff',
    'The version of the secret is soft-deleted.',
    'Undelete it, or write a new version.',
  ),
  SECRET_DESTROYED: row(1, 'backoff', 'The version of the secret is destroyed.', 'Write a new version.'),
  SECRET_EMPTY: row(1, 'backoff', 'The secret holds no data.', 'Check the path.'),
  SECRET_UNDECRYPTABLE: row(
    4,
    'backoff',
    'The key that encrypts the secret cannot be used.',
    "Allow kms:Decrypt in the role's policy and in the key's, and check that the key is enabled.",
  ),
  SECRET_IS_KV: row(
    1,
    'never',
    'A secret that `read` fetches is one of KV version 2 (a warning).',
    'Fetch it with kv: its fields are then the stored ones.',
  ),
  SECRET_NOT_KV: row(1, 'backoff', 'The mount of a kv secret is not a KV engine.', 'Use read: for this path.'),
  CERTIFICATE_UNFIT: row(
    1,
    'backoff',
    'A certificate does not fit together, or lacks what was asked for. It is not published.',
    'See docs/certificates.md.',
  ),
  CERTIFICATE_REFUSED: row(1, 'backoff', 'The issuer refused the certificate.', 'Follow its words, and docs/acme.md.'),
  ACME_CHALLENGE_FAILED: row(
    1,
    'backoff',
    'The proof that a name is yours cannot be shown.',
    'See docs/acme.md for http01 and dns01.',
  ),
  ACME_CHALLENGE_LEFT: row(1, 'never', 'A DNS record was not removed (a warning).', 'Remove it.'),
  CERTIFICATE_CA_UNREADABLE: row(1, 'backoff', 'The file of ca cannot be read.', 'Check its path and permissions.'),
  CERTIFICATE_SHORTENED: row(
    1,
    'never',
    'A certificate ends earlier than asked for (a warning).',
    'Raise max_ttl of the role, renew the CA, or ask for less.',
  ),
  CERTIFICATE_REVOKED: row(
    1,
    'never',
    'A certificate was revoked; another one is issued (a warning).',
    'Find out who revoked it.',
  ),
  CERTIFICATE_CA_CHANGED: row(
    1,
    'never',
    'The mount has another CA; another certificate is issued (a warning).',
    'Nothing is to be done if that was meant.',
  ),
  CERTIFICATE_KEPT_IGNORED: row(
    1,
    'never',
    'What an output kept of its certificates does not count; others are issued (a warning).',
    'See who changed the file. Pannier writes it again, for its own user alone.',
  ),
  CERTIFICATE_NOT_REVOKED: row(
    1,
    'never',
    'A replaced certificate could not be revoked (a warning).',
    'Allow update on MOUNT/revoke.',
  ),
  SECRET_STALE: row(
    1,
    'backoff',
    'The last refresh failed; the value is still valid.',
    'See the failure of the refresh.',
  ),
  SECRET_EXPIRED: row(
    1,
    'backoff',
    'The value has expired: it is past its validity, the end of its login, or its maxStale.',
    'See the failure of the last refresh.',
  ),
  SECRET_NEVER_FETCHED: row(
    3,
    'backoff',
    'The backend has not answered for the secret yet.',
    'Check the address, the network and the health of the backend.',
  ),

  // ---- output
  OUTPUT_WAITING: row(1, 'backoff', 'An output is not published yet.', 'See the state of its secrets.'),
  OUTPUT_NOT_WRITABLE: row(1, 'backoff', 'The destination cannot be written.', 'Check its mount, owner and mode.'),
  OUTPUT_NOT_READABLE: row(
    1,
    'backoff',
    'The published files cannot be read.',
    'Run the command as the user that the agent runs as.',
  ),
  OUTPUT_FULL: row(1, 'backoff', 'The destination has no space left.', 'Raise the size of the volume.'),
  OUTPUT_SYMLINK: row(
    1,
    'backoff',
    'A symlink in the destination, or on the way to it, leads elsewhere.',
    'Remove the link.',
  ),
  OUTPUT_OCCUPIED: row(
    1,
    'backoff',
    'A file or directory that is not from Pannier is where Pannier puts one of its own.',
    'Remove or rename it.',
  ),
  OUTPUT_NOT_TMPFS: row(
    1,
    'never',
    'The destination is not on tmpfs (a warning, unless requireTmpfs is set).',
    'Put dir below /run, on a mount of type tmpfs, or in an emptyDir with medium: Memory.',
  ),
  OUTPUT_OWNER: row(
    1,
    'backoff',
    'The owner or group of a file cannot be set.',
    'Run as root, or set gid to a group that the agent is in.',
  ),

  OUTPUT_CHECK_FAILED: row(
    1,
    'backoff',
    'The check of a candidate failed, so it is not published; the last generation stays.',
    'Write the files with pannier render --out DIR --reveal, and run the command on them by hand.',
  ),
  OUTPUT_VERIFY_FAILED: row(
    1,
    'backoff',
    'The application did not answer verify well after a reload.',
    "See the application's log; the generation before is published again, if there is one.",
  ),
  OUTPUT_HELD: row(
    1,
    'backoff',
    'A generation was taken back and is held back: older values are published.',
    'Correct the value at its backend, or run pannier resume.',
  ),

  // ---- reload
  RELOAD_PID_FILE: row(1, 'backoff', 'The pid file cannot be used.', 'Check that the application writes it.'),
  RELOAD_PID_REFUSED: row(
    1,
    'backoff',
    'Pannier never signals this pid, or the owner of the pid file may not choose it.',
    'Correct the pid file.',
  ),
  RELOAD_PID_REUSED: row(
    1,
    'backoff',
    'The pid belongs to a process that started after the pid file was written.',
    'Restart the application.',
  ),
  RELOAD_NO_PROCESS: row(1, 'backoff', 'There is no such process.', 'Start the application.'),
  RELOAD_SEVERAL_PROCESSES: row(
    1,
    'backoff',
    'Several processes have this name.',
    'Use pidFile, or set all: true to signal each.',
  ),
  RELOAD_NOT_PERMITTED: row(
    1,
    'backoff',
    'Pannier may not signal the process.',
    'Run Pannier as the user of the process.',
  ),
  RELOAD_NO_HANDLER: row(
    1,
    'backoff',
    'The child does not handle the signal, or not yet, so the signal would end it.',
    'Handle it in the application, start it with exec in a shell script, or choose another signal.',
  ),
  RELOAD_HTTP_UNREACHABLE: row(
    1,
    'backoff',
    'The application cannot be reached over HTTP.',
    'Check url or socket, and start it.',
  ),
  RELOAD_HTTP_TIMEOUT: row(
    1,
    'backoff',
    'The application did not answer in time.',
    "Raise timeout, or see the application's log.",
  ),
  RELOAD_HTTP_TLS: row(1, 'backoff', 'The TLS handshake with the application failed.', 'Check caFile and url.'),
  RELOAD_HTTP_STATUS: row(
    1,
    'backoff',
    'The application answered with a status that is not expected.',
    "See the application's log, or set expect.",
  ),
  RELOAD_HTTP_HEADER: row(1, 'backoff', 'A value cannot be sent as a header.', 'Use trim, or base64encode.'),
  RELOAD_COMMAND_MISSING: row(1, 'backoff', 'The command cannot be started.', 'Check its path and permissions.'),
  RELOAD_COMMAND_TIMEOUT: row(
    1,
    'backoff',
    'The command did not end in time.',
    'Raise timeout, or run it by hand to see what it waits for.',
  ),
  RELOAD_COMMAND_FAILED: row(1, 'backoff', 'The command ended with an error.', 'Run it by hand to see why.'),

  // ---- the child of exec
  EXEC_VARIABLE: row(
    1,
    'never',
    'A value cannot be put into an environment variable.',
    'Use base64encode, or a file instead.',
  ),
  EXEC_NOT_STARTED: row(1, 'backoff', 'The command cannot be started.', 'Check its path, its mode and PATH.'),

  // ---- local listeners
  LISTEN_IN_USE: row(
    1,
    'never',
    'Another process listens on the socket or port.',
    'Stop it, or take another socket or port.',
  ),
  LISTEN_OCCUPIED: row(1, 'never', 'A file that is no socket is where the socket would be.', 'Remove or rename it.'),
  LISTEN_FAILED: row(
    1,
    'never',
    'A socket or port cannot be listened on.',
    'Check its directory, permissions and port.',
  ),
  API_BUSY: row(
    1,
    'backoff',
    'A listener has as many connections as it takes.',
    'Close idle connections, and try again.',
  ),
  API_NO_ROUTE: row(1, 'never', 'A request names a path that does not exist.', 'See docs/api.md.'),
  API_METHOD: row(1, 'never', 'A request uses a method that the path does not take.', 'See the Allow header.'),
  API_MALFORMED: row(1, 'never', 'A request cannot be understood.', 'See docs/api.md.'),
  API_TOO_LARGE: row(1, 'never', 'A request is larger than the API takes.', 'See docs/api.md.'),
  API_TOKEN: row(
    1,
    'never',
    'A request carries no token, or a wrong one.',
    'Send the token of tokenFile in X-Pannier-Token.',
  ),
  API_TOKEN_FILE: row(1, 'backoff', 'The tokenFile of a listener cannot be used.', 'Make it readable, with one line.'),
  API_FORWARDED: row(
    1,
    'never',
    'A request came through a proxy.',
    'Send it directly: the API is for this machine only.',
  ),
  API_HOST: row(1, 'never', 'The Host header names no loopback address.', 'Use 127.0.0.1, [::1] or localhost.'),
  API_HEADER_TWICE: row(1, 'never', 'A header that a request may have once came twice.', 'Send it once.'),
  API_UNKNOWN_SECRET: row(
    1,
    'never',
    'The listener shows no secret with this name.',
    'See GET /v1/secrets, and the key secrets of the listener.',
  ),
  API_UNKNOWN_FIELD: row(1, 'never', 'The secret has no such field.', 'See GET /v1/secrets/NAME.'),
  API_UNKNOWN_OUTPUT: row(1, 'never', 'The listener knows no output with this name.', 'See GET /v1/status.'),
  API_NOT_PUBLISHED: row(1, 'backoff', 'The output has published nothing that can be reloaded.', 'See GET /v1/status.'),
  API_NO_PREVIOUS: row(1, 'never', 'There is no other generation to go back to.', 'See GET /v1/status.'),
  API_NOT_HELD: row(1, 'never', 'Nothing of the output is held back.', 'See GET /v1/status.'),
  API_NOT_ALLOWED: row(1, 'never', 'The listener does not allow this request.', 'Set control: true on the listener.'),
  API_SLOW: row(1, 'backoff', 'The request did not end in time; the agent goes on with it.', 'See GET /v1/status.'),
  AGENT_UNREACHABLE: row(
    1,
    'backoff',
    'No agent answers at this address.',
    'Start the agent, or name another socket with --socket.',
  ),
  AGENT_SILENT: row(1, 'backoff', 'An agent did not answer in time.', 'See its log.'),
  STDOUT: row(1, 'never', 'Standard output cannot be written.', 'Check the disk or the program that it goes to.'),
  AGENT_ANSWER: row(
    1,
    'never',
    'The answer is not from an agent, or from an agent of another version.',
    'Check --socket.',
  ),

  SDS_UNUSABLE: row(
    1,
    'never',
    'A secret does not hold what its name in `sds` needs (a warning).',
    'Name a secret that holds it, or a field of it.',
  ),
  SDS_REFUSED: row(
    1,
    'never',
    'A client of `sds` refused a secret; the words are its own (a warning).',
    'Correct the secret at the backend; the client goes on with what it had.',
  ),
  SDS_BUSY: row(
    1,
    'backoff',
    'A client of `sds` asked for more than the limits allow (a warning).',
    'Raise maxStreams or onDemand.max, or look for a client that opens too many.',
  ),

  PROXY_HEADER: row(
    1,
    'never',
    'A request lacks the header X-Vault-Request, which the listener requires.',
    'Add X-Vault-Request: true.',
  ),
  PROXY_WEB_PAGE: row(1, 'never', 'A web page made a request to the proxy.', 'Only programs may use it.'),
  PROXY_OWN_LOGIN: row(
    1,
    'never',
    "A request would end the agent's own login, or reveal its token.",
    'Use a token of your own, or set proxy.useAutoAuthToken: false.',
  ),

  CHECK_TIMEOUT: row(
    3,
    'backoff',
    'A check of doctor did not end in time.',
    'See whether its server or file system hangs, or raise --timeout.',
  ),
  INIT_TIMEOUT: row(
    1,
    'never',
    'An output was not done within the time that init had.',
    'Raise --timeout, or see its reload.',
  ),
  AGENT_STALLED: row(
    1,
    'never',
    'A part of the agent makes no progress any more.',
    'Restart it, and please report it.',
  ),
  AGENT_PID_ONE: row(
    1,
    'never',
    'The agent is process 1 (a warning).',
    'Use a small init such as tini: Node reaps only its own children.',
  ),
  AGENT_NOTIFY: row(
    1,
    'never',
    'The service manager cannot be notified (a warning).',
    'Install systemd-notify and set NotifyAccess=all, or use Type=exec.',
  ),
  LOG_FILE: row(
    1,
    'never',
    'The log file cannot be written (a warning).',
    'Check path and space, then send SIGHUP; until then lines go to standard error.',
  ),
  INTERNAL: row(1, 'backoff', 'An error in Pannier itself.', 'Please report it with the log around it.'),
} as const;

export type Code = keyof typeof CODES;

function row(exit: ExitStatus, retry: Retry, meaning: string, hint: string): CodeRow {
  return { exit, retry, meaning, hint };
}
