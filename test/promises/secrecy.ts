import { held, inFile, pending, type Section } from './promise.ts';

const secret = inFile('test/base/secret.test.ts', 'a Secret');
const failures = inFile('test/base/machinery.test.ts', 'failures');
const json = inFile('test/base/json.test.ts', 'parseJson');
const command = inFile('test/process/command.test.ts', 'the outcome of a command');
const canary = inFile('test/system/canary.test.ts', 'no value comes out anywhere but in the outputs');
const awsCanary = inFile(
  'test/system/canary-aws.test.ts',
  'no value and no key of AWS comes out anywhere but in the outputs',
);
const clientCanary = inFile('test/backend/vault/client/canary.test.ts');
const startUp = inFile('test/system/inspector.test.ts', 'the inspector');
const missing = inFile('test/render/paths.test.ts', 'a missing field');
const path = inFile('test/render/paths.test.ts', 'a path');
const wrong = inFile('test/render/problems.test.ts', 'what is wrong with a template');
const output = inFile('test/render/problems.test.ts', 'an output');
const noText = inFile('test/render/helpers.test.ts', 'a value without one obvious text');
const guard = inFile('test/deliver/api/guard.test.ts');
const apiSection = inFile('test/config/api.test.ts', 'the section api');

const sso = inFile('test/backend/aws/auth/credentials.test.ts', 'a profile with SSO');

const page = inFile('test/observe/page/page.test.ts', 'the status page');
const live = inFile('test/observe/page/page.test.ts', 'the live status page');

export const secrecy: Section = {
  name: 'Secrecy',
  promises: [
    held(
      'values-are-opaque',
      "A value lives in `Secret` from the client's border to the bytes that are written.",
      secret('stays hidden however it is printed'),
      secret('has no readable or writable property that holds the value'),
      inFile('test/backend/vault/client/client.test.ts')(
        'numbers keep their source text, and __proto__ is a name like others',
      ),
    ),
    held(
      'never-logged',
      'A value never reaches a log line or an error.',
      canary('with real logins and secrets, good outputs and failing ones, commands, and every debug switch on'),
      inFile(
        'test/system/canary-api.test.ts',
        'the local API shows values only to clients that may read them',
      )('in logs, errors, arguments or refusals, with every debug switch on'),
      inFile(
        'test/system/canary-doctor.test.ts',
        'no value and no credential comes out of the commands that look',
      )('in doctor and policy, whether all is well or failing, with every debug switch on'),
      inFile(
        'test/render/canary.test.ts',
        'a failure, and a masked file',
      )('never shows a value, whatever the template does wrong'),
    ),
    held(
      'never-in-a-metric',
      'A value never reaches a metric.',
      inFile('test/observe/metrics.test.ts', 'the metrics')('show no path, configured or computed'),
      inFile(
        'test/system/canary-admin.test.ts',
        'no value comes out of the admin listener',
      )('in health, metrics or the status page: no value, private path or token, whether all is well or failing'),
    ),
    held(
      'never-on-the-page',
      'The status page shows no value, no path of a computed secret and no directory, and a browser runs nothing that a name or reason holds.',
      page('escapes every name and reason, and shows no path, directory, file or ETag'),
      page('has nothing inline and nothing from elsewhere: no style, no handler, no script text, no address'),
      page('comes with a strict policy, in no frame, and is kept in no cache'),
      inFile(
        'test/observe/page/recent-events.test.ts',
        'the recent events',
      )('show no directory and no path of a computed secret'),
    ),
    held(
      'page-rebinding',
      'The status page answers no browser that came by the name of another site.',
      page('asked as %s it answers %i, against DNS rebinding', 'evil.example'),
    ),
    held(
      'page-bounded',
      'The status page is sent to a bounded number of browsers, once a second at most, and costs nothing while nobody looks.',
      live('is sent at once and after a change, once a second at most, and all browsers share one rendering'),
      live('takes so many browsers and no more, does nothing while nobody looks, and ends with the listener'),
    ),
    pending('never-in-a-trace', 'A value never reaches a trace.', 'tracing'),
    held(
      'never-in-argv',
      'A value never reaches an argv.',
      canary('with real logins and secrets, good outputs and failing ones, commands, and every debug switch on'),
      inFile(
        'test/reload/command.test.ts',
        'a reload by command',
      )('has failures that show neither an argument nor what the command printed'),
    ),
    held(
      'foreign-errors',
      "A foreign error's message and fields are never passed on (`JSON.parse` quotes its input, `spawn` prints a variable with NUL, YAML errors print source lines): they are replaced by Pannier's own code where they are caught.",
      failures('a foreign error keeps its class and system code, never its message or fields'),
      json('refuses %j with the offset and none of the text'),
      command('a command with a NUL in a variable is not started, and the variable is not shown'),
      inFile('test/config/problems.test.ts', 'problems')('a syntax error shows nothing of the file (%s)'),
      inFile(
        'test/backend/file/file.test.ts',
        'a YAML file',
      )('with %s is BACKEND_FILE, with line and column and without its text'),
    ),
    held(
      'canary-run',
      'The canary tests search all that the agent prints, also with `DEBUG=*` and `NODE_DEBUG=http,net`, malformed answers and NUL bytes.',
      canary('with real logins and secrets, good outputs and failing ones, commands, and every debug switch on'),
      canary('when the backend answers %s'),
      awsCanary('when AWS answers %s'),
      awsCanary('with secrets and parameters that clients name, good and failing'),
      canary('when the file of the embedded backend is %s'),
      canary('when the configuration holds %s'),
      clientCanary('no value reaches output over %s, also with DEBUG=* and NODE_DEBUG=http,net'),
      inFile(
        'test/system/proxy.test.ts',
        'nothing that goes through the proxy comes out',
      )('of values, tokens, bodies, queries and headers, whatever the requests are'),
    ),
    held(
      'no-inspector',
      'No signal opens the inspector (a SIGUSR1 listener is set in the first line of main).',
      startUp('is not opened by SIGUSR1'),
    ),
    held(
      'inspector-flag',
      'Where Pannier starts itself again, a flag turns the inspector off too.',
      startUp('is turned off by a flag where Pannier starts itself again'),
    ),
    held(
      'field-below-a-leaf',
      "A field below a value, `{{db.password.nope}}`, is an error without the value (Handlebars' `strict` puts it into the message).",
      missing('%j fails, and the message names it and its position', '{{db.password.nope}}'),
    ),
    held(
      'helper-of-a-missing-field',
      "A helper of a missing field, `{{upper db.typo}}`, is an error (Handlebars' `strict` gives text).",
      missing('%j fails, and the message names it and its position', '{{upper db.typo}}'),
    ),
    held(
      'blocks-on-missing-fields',
      "A block on a missing field is an error (Handlebars' `strict` renders it empty).",
      missing('%j fails, and the message names it and its position', '{{#each db.missing}}x{{/each}}'),
      missing('%j fails, and the message names it and its position', '{{#with db.missing}}x{{/with}}'),
    ),
    held(
      'if-of-an-absent-secret',
      "A field of an absent secret is falsy, `{{#if absent.x}}` (Handlebars' `strict` throws a TypeError).",
      inFile(
        'test/render/paths.test.ts',
        'an optional secret that is absent',
      )('is falsy in if, unless and default, whatever field is asked for'),
    ),
    held(
      'log-and-partials',
      '`log` and inline partials are refused (`log` prints values, and an inline partial can recurse).',
      wrong('%j is found without any value', '{{log app.x}}'),
      wrong('%j is found without any value', '{{#*inline '),
    ),
    held(
      'wants-from-the-tree',
      'An output wants the secrets that the syntax trees of its templates name, guarded by `if`, `unless` or `default` or not.',
      output('needs each secret that any of its files names, guarded or not, and no other'),
      missing('is falsy in if, unless and as the first argument of default'),
    ),
    held(
      'unknown-names-at-validate',
      '`validate` finds unknown names.',
      wrong('%j is found without any value', '{{foo}}'),
      inFile('test/render/paths.test.ts', 'the root')('has no name but those of secrets'),
    ),
    held(
      'missing-field-errors',
      'A missing field as the argument of a helper or a block is an error.',
      missing('%j fails, and the message names it and its position'),
    ),
    held(
      'no-html-escaping',
      'Nothing is escaped for HTML.',
      path('%s is written', '{{db.password}} {{{db.password}}} {{&db.password}}'),
    ),
    held(
      'null-prototype',
      'The data of templates have no prototype.',
      path('reaches a field named like a property of objects only when the field is there'),
    ),
    held(
      'object-names-json',
      'An object or null in a plain mustache is an error that names the helper `json`.',
      noText('%s fails, and the hint says what to write', '{{app.map}}'),
      noText('%s fails, and the hint says what to write', '{{app.nil}}'),
    ),
    held(
      'no-log-no-partials',
      'There is no `log` and there are no partials.',
      wrong('%j is found without any value', '{{log app.x}}'),
      wrong('%j is found without any value', '{{> part}}'),
    ),
    held(
      'no-foreign-template-errors',
      "Handlebars' own error text is never shown.",
      wrong('%j does not parse, and the message is not the parser’s'),
      inFile(
        'test/render/canary.test.ts',
        'a failure, and a masked file',
      )('never shows a value, whatever the template does wrong'),
    ),
    held(
      'helpers-stay-inside',
      "No helper reaches the file system or the network except the documented ones, within the template's folder.",
      inFile(
        'test/render/helper-reach.test.ts',
        'helpers',
      )('import nothing that reaches a file, a process or the network'),
    ),
    held(
      'fields-are-a-map',
      "Fields are a `Map` by Pannier's own code (`z.record` drops `__proto__` silently).",
      json('names such as __proto__ and constructor are ordinary fields, and order is kept'),
      inFile('test/backend/vault/client/client.test.ts')(
        'numbers keep their source text, and __proto__ is a name like others',
      ),
      inFile(
        'test/backend/file/file.test.ts',
        'a YAML file',
      )('takes names like __proto__ and numbers for names as they are written'),
    ),
    held(
      'numbers-keep-their-text',
      'Numbers keep their source text (2^53+1 and 1.10 survive).',
      json('keeps the source text of the number %s'),
      path('keeps the source text of numbers'),
      inFile('test/backend/file/file.test.ts', 'a YAML file')('keeps %j as %s'),
    ),
    held(
      'bytes-stay-bytes',
      'Bytes that are not UTF-8 stay bytes, and are base64 in JSON.',
      secret('bytes that are UTF-8 are text, other bytes stay bytes and have no text'),
      inFile('test/render/helpers.test.ts', 'helpers')('%j', '{{json app.quote}} {{json app.half}} {{json bytes.raw}}'),
    ),
    held(
      'bytes-refused',
      'Bytes in a text are refused without a helper.',
      noText('%s fails, and the hint says what to write', '{{bytes.raw}}'),
    ),
    held(
      'socket-mode',
      'A local socket has the mode that is configured, by default only for its owner.',
      inFile(
        'test/deliver/http/bind.test.ts',
        'a unix socket',
      )('is private unless a mode is set, and nothing else is left beside it'),
      inFile(
        'test/system/api.test.ts',
        'the local API of a running agent',
      )('curl reads a secret that no output needs, over a socket that is private to its owner'),
    ),
    held(
      'loopback-and-header',
      'Over TCP the API listens on loopback only and requires a header.',
      guard('over TCP a token is required, in any of three headers, and health needs none'),
      apiSection('refuses %s', 'the whole network'),
      apiSection('refuses %s', 'no token over TCP'),
    ),
    held(
      'forwarded-refused',
      'Forwarded requests are refused.',
      guard('on every listener a request with %s is refused', 'X-Forwarded-For'),
      guard('over TCP Host: %s gives %s', 'evil.example:8270'),
    ),
    held(
      'constant-time',
      'Tokens are compared in constant time.',
      inFile('test/deliver/http/token-file.test.ts')('tokens of any length and content are compared in constant time'),
    ),
    held(
      'caps',
      'Connections, bodies, headers and the total time of a request are capped.',
      inFile(
        'test/deliver/http/listener.test.ts',
        'a listener',
      )('answers 429 when all connections are taken, and still answers health'),
      inFile(
        'test/deliver/http/listener.test.ts',
        'a route table',
      )('answers 405 with Allow, HEAD without a body, and 413 to bodies that are too long or not taken'),
      inFile(
        'test/deliver/http/listener.test.ts',
        'a listener',
      )('ends half-open connections, and answers what is not HTTP with a bare status'),
      inFile(
        'test/deliver/http/slow-clients.test.ts',
        'a client that sends too slowly',
      )('is answered 408 when a body does not end'),
      inFile(
        'test/deliver/api/limits.test.ts',
        'the limits of a listener of the API',
      )('a connection that sends too far ahead of its answers is closed'),
    ),
    held(
      'admin-anywhere',
      "`admin` may listen anywhere, since probes and scrapes come by the pod's address.",
      inFile('test/config/admin.test.ts', 'the admin section')('listens on any interface: %s', '0.0.0.0:9464'),
      inFile(
        'test/system/observe.test.ts',
        'the health of a running agent',
      )('is answered beside 1,000 idle connections, on a port of any interface'),
    ),
    held(
      'terminal-safe',
      'No name, reason or hint in the log can control the terminal.',
      inFile(
        'test/log/pretty.test.ts',
        'the log for people',
      )('cannot be moved by control characters in a name, a reason or a hint'),
    ),
    held(
      'log-never-tells-less',
      'A client of the API can let the log tell more, and never less than the configuration says.',
      inFile(
        'test/deliver/api/actions.test.ts',
        'the level of the log',
      )('is never one that tells less than the configuration says, nor any other word'),
    ),
    held(
      'sso-token-to-portal',
      'The access token of an SSO session goes to its portal, in the region of the session, and never to STS.',
      sso('is asked at its own portal, and STS never sees the access token'),
      sso('is asked in the region of its session, whatever that of the backend is'),
    ),
    held(
      'skip-verify-refused',
      '`NODE_TLS_REJECT_UNAUTHORIZED=0` and `VAULT_SKIP_VERIFY` are refused unless `tls.skipVerify: true`.',
      inFile(
        'test/config/environment.test.ts',
        'certificate checks turned off by the environment',
      )('%j is refused: %s'),
      inFile(
        'test/http/tls.test.ts',
        'the certificate of the server',
      )('is accepted unchecked only with tls.skipVerify, whatever NODE_TLS_REJECT_UNAUTHORIZED says'),
    ),
  ],
};
