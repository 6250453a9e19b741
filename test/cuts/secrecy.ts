import { type Cut, cutIn } from './cut.ts';

const secret = cutIn('src/base/secret.ts');
const json = cutIn('src/base/json.ts');
const evaluate = cutIn('src/render/template/evaluate.ts');
const analyse = cutIn('src/render/template/analyse.ts');
const outcome = cutIn('src/render/template/outcome.ts');
const text = cutIn('src/render/template/text.ts');
const command = cutIn('src/process/child.ts');
const bin = cutIn('src/cli/bin.ts');
const backend = cutIn('src/backend/vault/config/resolve.ts');
const guard = cutIn('src/deliver/http/guard.ts');
const listener = cutIn('src/deliver/http/listener.ts');

/** Code that shows the values of fields in a message. */
const exposed = (fields: string) => `[...${fields}.values()].map((one: any) => one.exposeText?.('file'))`;
const CHANGED = "kind: 'secret-changed',\n      secrets: [...item.names";
const NO_HELPER = 'if (helper === undefined) {\n      const hint';
const NO_LOG = "if (helper === undefined && name !== 'log') {\n      const hint";
const DECODER = "new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })";

const SLICE = 'this.#text.slice(start, this.#at)';
const NUMBER = `const number = ${SLICE};`;

export const SECRECY: readonly Cut[] = [
  secret(
    'values-are-opaque',
    "toJSON(): string {\n    return '[secret]';",
    'toJSON(): string {\n    return String(this.#value);',
  ),
  secret(
    'values-are-opaque',
    "[inspect.custom](): string {\n    return '[secret]';",
    '[inspect.custom](): string {\n    return String(this.#value);',
  ),
  secret(
    'values-are-opaque',
    '    this.#value = value;\n',
    '    this.#value = value;\n    (this as any).value = value;\n',
    {
      by: 'readable or writable',
    },
  ),
  text(
    'never-logged',
    '`${nameOf()} is ${valueKind(value)}`, { hint',
    `\`\${written} is \${${exposed('(value as any)')}}\`, { hint`,
    {
      by: 'whatever the template does wrong',
    },
  ),
  cutIn('src/lease/item-writer.ts')('never-logged', CHANGED, `${CHANGED}, ...${exposed('answer.value.fields')}`, {
    slow: true,
  }),
  cutIn('src/process/command.ts')(
    'never-in-argv',
    "{ argv: [program = ''], timeoutMs }: Pick",
    "{ argv, timeoutMs, program = argv.join(' ') }: Pick",
    { by: 'an argument' },
  ),
  cutIn('src/base/errors.ts')(
    'foreign-errors',
    '`unexpected ${name}${codeSuffix(error)}`',
    '`unexpected ${name} ${(error as Error).message}`',
  ),
  json(
    'foreign-errors',
    'return new JsonError(what, this.#at);',
    'return new JsonError(`${what} ${this.#text}`, this.#at);',
    {
      by: 'none of the text',
    },
  ),
  command('foreign-errors', 'return { errno: errnoWord(error) };', 'return { errno: String(error) };', { by: 'NUL' }),
  cutIn('src/base/yaml.ts')(
    'foreign-errors',
    '`not valid YAML (${error.code})`',
    '`not valid YAML (${error.message})`',
    { by: 'a YAML file' },
  ),
  cutIn('src/http/exchange.ts')(
    'canary-run',
    'openRequest(agent, target, { method, path, timeout });',
    'openRequest(agent, target, { method, path, timeout, headers } as any);',
    { by: 'no value reaches output' },
  ),
  cutIn('src/backend/aws/client/error.ts')(
    'canary-run',
    "(isAnswer ? `HTTP ${status}` : 'no usable answer')",
    '`${message} ${status} ${isAnswer}`',
    { by: 'when AWS answers' },
  ),
  cutIn('src/backend/vault/client/status.ts')('canary-run', 'return shown ?? part;', 'return texts[0];', {
    by: 'when the backend answers',
    slow: true,
  }),
  cutIn('src/backend/file/parse.ts')(
    'canary-run',
    "throw unusable(path, 'the top level is not a map of names', place);",
    'throw unusable(path, text, place);',
    { by: 'embedded backend', slow: true },
  ),
  cutIn('src/deliver/proxy/told-call.ts')('canary-run', "path.replace(PRIVATE, '$1/…')", 'path', {
    by: 'whatever the requests are',
    slow: true,
  }),
  bin('no-inspector', "process.on('SIGUSR1', () => {});", ''),
  bin('inspector-flag', "'--disable-sigusr1', ", ''),
  outcome('field-below-a-leaf', 'if (isSecret(value)) return undefined;', 'if (isSecret(value)) return value;'),
  evaluate(
    'helper-of-a-missing-field',
    'const args = call.args.map((arg) => demand(this.outcome(arg)));',
    "const args = call.args.map((arg) => {\n        const given = this.outcome(arg);\n        return given instanceof Missing ? Secret.text('') : given;\n      });",
  ),
  evaluate(
    'blocks-on-missing-fields',
    'const over = demand(this.#orEmpty(node.over));',
    'const over = this.outcome(node.over);\n    if (over instanceof Missing) return;',
  ),
  evaluate(
    'blocks-on-missing-fields',
    'const item = demand(this.#orEmpty(node.value));',
    'const item = this.outcome(node.value);\n    if (item instanceof Missing) return;',
    { by: '{{#with' },
  ),
  evaluate('if-of-an-absent-secret', 'if (value === undefined) {', 'if (value === null) {'),
  analyse('log-and-partials', NO_HELPER, NO_LOG),
  analyse(
    'log-and-partials',
    "else if (statement.type !== 'CommentStatement') {",
    "else if (statement.type.startsWith('Partial')) {",
    { by: 'inline' },
  ),
  analyse(
    'wants-from-the-tree',
    'this.uses.push({ secret: start.name, fields: steps, guarded, at });',
    'if (!guarded) this.uses.push({ secret: start.name, fields: steps, guarded, at });',
  ),
  analyse('unknown-names-at-validate', 'if (!this.#known.has(start.name)) {', 'if (start.name === undefined) {'),
  outcome(
    'missing-field-errors',
    'if (outcome instanceof Missing) throw outcome.toFault();',
    'if (outcome instanceof Missing) return [];',
  ),
  text('no-html-escaping', 'return text;', "return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');"),
  outcome('null-prototype', 'return value.get(name);', 'return value.get(name) ?? (value as never)[name];'),
  text('object-names-json', '`Write {{json ${written}}}, or name one of its fields.`', '`Name one of its fields.`'),
  text('object-names-json', "if (value.type === 'null') {", "if (value.type === ('nil' as never)) {", {
    by: '{{app.nil}}',
  }),
  analyse('no-log-no-partials', NO_HELPER, NO_LOG),
  analyse(
    'no-log-no-partials',
    "else if (statement.type !== 'CommentStatement') {",
    "else if (statement.type !== 'CommentStatement' && !statement.type.startsWith('Partial')) {",
    { by: '{{> part}}' },
  ),
  cutIn('src/render/template/parse.ts')(
    'no-foreign-template-errors',
    'syntaxProblem(met.token, met.expected)',
    '_message',
  ),
  cutIn('src/render/helpers/trim.ts')(
    'helpers-stay-inside',
    'import { Secret } from',
    "import { readFileSync } from 'node:fs';\nimport { Secret } from",
  ),
  json(
    'fields-are-a-map',
    'fields.set(name, this.#value(depth + 1));',
    "const value = this.#value(depth + 1);\n      if (name !== '__proto__') fields.set(name, value);",
  ),
  json('numbers-keep-their-text', NUMBER, `const number = String(Number(${SLICE}));`),
  json('numbers-keep-their-text', NUMBER, `const number = String(Number(${SLICE}));`, { by: 'a path' }),
  secret('bytes-stay-bytes', DECODER, "new TextDecoder('utf-8', { ignoreBOM: true })"),
  cutIn('src/render/text/json.ts')('bytes-stay-bytes', ".toString('base64')}\"`", ".toString('hex')}\"`", {
    by: '{{json bytes.raw}}',
  }),
  text(
    'bytes-refused',
    "if (value.type === 'bytes') {",
    "if (value.type === 'bytes') {\n    return Buffer.from(value.exposeBytes('file')).toString('latin1');",
  ),
  cutIn('src/observe/operation-of.ts')('never-in-a-metric', "BY_METHOD[method] ?? 'other'", 'plain'),
  cutIn('src/observe/secret-metrics.ts')(
    'never-in-a-metric',
    '.filter((name) => agent.plan().config.secrets.has(name))',
    '',
  ),
  cutIn('src/observe/page/shown.ts')(
    'never-on-the-page',
    'status.secrets.filter(({ computed }) => computed === undefined)',
    'status.secrets',
  ),
  cutIn('src/observe/page/html.ts')(
    'never-on-the-page',
    "printable(text).replace(/[&<>\"']/g, (found) => ENTITIES[found] ?? '')",
    'printable(text)',
  ),
  cutIn('src/observe/page/recent-events.ts')(
    'never-on-the-page',
    'secrets.filter((name) => this.#isConfigured(name))',
    'secrets',
    { by: 'show no directory and no path of a computed secret' },
  ),
  cutIn('src/observe/page/page-routes.ts')(
    'never-on-the-page',
    "\"default-src 'none'; script-src 'self'; ",
    "\"default-src 'none'; script-src 'self' 'unsafe-inline'; ",
    { by: 'comes with a strict policy' },
  ),
  cutIn('src/observe/page/page-routes.ts')(
    'page-rebinding',
    '(mayAsk(asked, where) ? handle(asked) : ANOTHER_HOST)',
    'handle(asked)',
  ),
  cutIn('src/observe/page/viewers.ts')(
    'page-bounded',
    'if (this.#viewers.size > 0) this.#wakeIn(PAUSE_MS);',
    'this.#sendAll();',
  ),
  cutIn('src/observe/page/viewers.ts')(
    'page-bounded',
    'this.#viewers.size < MAX_VIEWERS && !this.#isOver',
    '!this.#isOver',
    {
      by: 'takes so many browsers and no more',
    },
  ),
  cutIn('src/trace/work.ts')('never-in-a-trace', "(name.includes(' ') ? '(computed)' : name)", 'name'),
  cutIn('src/trace/work.ts')('never-in-a-trace', 'operationOf(work.call)', 'work.call', { by: 'neither the path' }),
  cutIn('src/config/sections/listeners/resolve-admin.ts')(
    'admin-anywhere',
    'resolveHostPort(listen)',
    "resolveHostPort(listen.replace(/^.*:/, '127.0.0.1:'))",
  ),
  backend(
    'skip-verify-refused',
    "if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') unsafe.push('NODE_TLS_REJECT_UNAUTHORIZED');",
    '',
  ),
  backend('skip-verify-refused', "['VAULT_SKIP_VERIFY', 'BAO_SKIP_VERIFY']", "['BAO_SKIP_VERIFY']"),
  cutIn('src/http/pool.ts')(
    'skip-verify-refused',
    'rejectUnauthorized: !skipVerify,',
    '...(skipVerify ? { rejectUnauthorized: false } : {}),',
    { by: 'accepted unchecked' },
  ),
  cutIn('src/deliver/http/bind.ts')('socket-mode', 'await chmod(socket.at, mode);', ''),
  cutIn('src/config/sections/listeners/resolve-listen.ts')(
    'socket-mode',
    'SOCKET_MODE = 0o600',
    'SOCKET_MODE = 0o666',
    {
      by: 'curl reads',
      slow: true,
    },
  ),
  guard(
    'loopback-and-header',
    "if (typeof given !== 'string') return refused(",
    "if (given !== 'x'.repeat(999)) return undefined;\n    if (typeof given !== 'string') return refused(",
  ),
  cutIn('src/config/sections/listeners/resolve-api.ts')(
    'loopback-and-header',
    'if (!isLoopback(host)) {',
    'if (host === "") {',
    {
      by: 'the whole network',
    },
  ),
  cutIn('src/config/sections/listeners/resolve-api.ts')(
    'loopback-and-header',
    'if (shape.tokenFile === undefined) {',
    'if (listen === "") {',
    {
      by: 'no token over TCP',
    },
  ),
  guard('forwarded-refused', "FORWARDED.has(name) || name.startsWith('x-forwarded')", 'name === ""'),
  guard('forwarded-refused', 'if (!isTcp || isLocalHost', 'if (isTcp || isLocalHost', { by: 'evil.example' }),
  cutIn('src/deliver/http/token-file.ts')(
    'constant-time',
    'return loadCrypto().timingSafeEqual(a, b);',
    "return a.toString('hex') === b.toString('hex');",
  ),
  listener(
    'caps',
    'if (connection.crowded && this.#service.isVital?.(request) !== true) {',
    'if (connection.busy < 0) {',
  ),
  cutIn('src/http/serving/read-body.ts')('caps', "if (length > maxBytes) return refuse('too large');", '', {
    by: '413',
  }),
  listener('caps', 'maxHeaderSize: limits.headerBytes,', 'maxHeaderSize: 1e6,', { by: 'half-open' }),
  cutIn('src/deliver/http/slow-clients.ts')('caps', 'now - reading.sinceMs < limitMs', 'now > 0', {
    by: 'body does not',
  }),
  listener('caps', 'if (connection.busy > MAX_AHEAD)', 'if (connection.busy < 0)', { by: 'far ahead' }),
  cutIn('src/log/terminal/pretty.ts')('terminal-safe', '${word}${printable(sentence)}', '${word}${sentence}'),
  cutIn('src/deliver/api/actions.ts')(
    'log-never-tells-less',
    '(level !== undefined && tellsMore(configured, level))',
    'level === null',
  ),
  cutIn('src/backend/aws/auth/shared-keys.ts')(
    'sso-token-to-portal',
    'clientConfig: { requestHandler: recording, maxAttempts: 1, logger: SILENT },',
    'clientConfig: { ...clientConfig, requestHandler: recording },',
  ),
];
