import { type Cut, cutIn } from './cut.ts';

const request = cutIn('src/deliver/proxy/request.ts');
const service = cutIn('src/deliver/proxy/proxy-service.ts');
const caller = cutIn('src/deliver/proxy/caller.ts');

export const PROXY: readonly Cut[] = [
  request('proxy-one-reading', 'if (connectionNames(rawHeaders, FOR_THE_SERVER)) {', 'if (rawHeaders.length < 0) {'),
  request(
    'proxy-one-reading',
    'const headers = headersByName(passed);',
    'const headers = headersByName(request.rawHeaders);',
    {
      by: 'neither passed on nor part',
    },
  ),
  cutIn('src/deliver/proxy/request-path.ts')('proxy-one-reading', ".replace(/\\/{2,}/g, '/')", '', {
    by: 'a request that writes',
  }),
  cutIn('src/deliver/proxy/namespace.ts')('proxy-one-reading', "part !== ''", "part !== ' '", {
    by: 'a namespace written as',
  }),
  cutIn('src/deliver/proxy/told-call.ts')(
    'proxy-told',
    'const path = readPath(url);',
    'const path = url as string | undefined;',
  ),
  service('proxy-certificate', 'withCertificate: useClientCertificate', 'withCertificate: true'),
  cutIn('src/http/forwarder.ts')(
    'proxy-certificate',
    'const { certFile, keyFile, bootstrap: _bootstrap, ...plain } = options.tls;',
    'const { certFile, keyFile } = options.tls;\n    const plain = options.tls;',
  ),
  cutIn('src/deliver/proxy/cacheable.ts')(
    'proxy-login-not-cached',
    "if (leased.kind === 'token' && !makesTokens) {",
    "if (leased.kind === 'token' && path === '') {",
  ),
  cutIn('src/deliver/proxy/ask-upstream.ts')('proxy-others-tokens', '!ABOUT_OTHERS.test(path) && ', ''),
  service('proxy-own-login', " || upstream.session.names(asked.token ?? '')", '', { by: 'as its own' }),
  cutIn('src/deliver/proxy/own-login.ts')(
    'proxy-own-login',
    '  if (REVOKES.test(path)) return',
    '  if (path.length === 0) return',
    { by: 'ended through' },
  ),
  cutIn('src/deliver/proxy/own-login.ts')(
    'proxy-own-login',
    'if (!texts.some((text) => session.names(text))) return;',
    'if (texts.length >= 0) return;',
    { by: 'under any token' },
  ),
  service('proxy-ready', 'upstream.session.start();', '{}'),
  cutIn('src/observe/health.ts')('proxy-ready', '[...loginsMissing]', '[]', { by: 'is not ready while' }),
  cutIn('src/backend/vault/open.ts')(
    'proxy-behind-another',
    'const session =\n    method === undefined',
    'const session =\n    false',
    {
      by: 'says that nobody',
    },
  ),
  cutIn('src/deliver/proxy/root-namespace.ts')(
    'proxy-root-namespace',
    '[root, plainNamespace(given)]',
    '[plainNamespace(given)]',
  ),
  cutIn('src/deliver/proxy/root-namespace.ts')(
    'proxy-root-namespace',
    'else if (ODD.test(value)) return undefined;',
    '',
    {
      by: '..%2fother',
    },
  ),
  cutIn('src/deliver/proxy/root-namespace.ts')('proxy-root-namespace', '(?:inline-auth-)?', '', {
    by: 'a login inside',
  }),
  cutIn('src/deliver/proxy/cache-clear.ts')(
    'proxy-root-namespace',
    '`${root}/${plainNamespace(namespace)}`',
    'namespace',
    { by: 'cache-clear' },
  ),
  cutIn('src/deliver/proxy/own-paths.ts')('proxy-quit', 'isAllowed ? refuseMethod(call)', 'true ? refuseMethod(call)'),
  cutIn('src/deliver/proxy/own-login.ts')(
    'proxy-hides-the-other-token',
    'answer.login.token === undefined ? tokensIn(text)',
    'answer.login.token === undefined ? []',
  ),
  request('proxy-same-answers', "'HEAD', 'LIST', 'SCAN',", "'HEAD', 'SCAN',", { slow: true }),
  caller('proxy-sealed', 'return mayNeedNone && !hasLogin() ? given', 'return mayNeedNone && false ? given', {
    by: "needs the agent's login",
  }),
  caller('proxy-sealed', '|seal-status|unseal|', '|seal-status|'),
];
