import { held, inFile, type Section } from './promise.ts';

const reading = inFile('test/deliver/proxy/one-reading.test.ts');
const forwarding = inFile('test/deliver/proxy/forwarding.test.ts', "the agent's own login");
const behind = inFile('test/system/behind-proxy.test.ts', 'a backend without a login');
const otherToken = inFile('test/deliver/proxy/behind-another.test.ts', 'the token of another proxy on the way');
const sameAnswers = inFile(
  'test/system/same-answers.test.ts',
  'a client gets the same answers from the server, through bao proxy, and through Pannier',
);
const rootNamespace = inFile('test/deliver/proxy/root-namespace.test.ts', 'a namespace that clients see as the root');
const sealed = inFile('test/deliver/proxy/sealed.test.ts');

export const proxy: Section = {
  name: 'Proxy',
  promises: [
    held(
      'proxy-one-reading',
      'A request is read once: its key in the cache, the guard of the login and the server see the same request.',
      reading('a header of one hop only never makes a request one of another namespace (%s)', '/v1/kv/a'),
      reading("a header of one hop only is neither passed on nor part of the cache's key"),
      reading('a request that writes to %s makes the next read a new one', '/v1/kv//a'),
      reading('a namespace written as %s is the one in which a write makes the next read a new one', 'team//a'),
    ),
    held(
      'proxy-told',
      'No token in a path is logged, however the path is spelled.',
      reading('a request to %s is logged as %s', '/v1/auth%2ftoken%2frenew%2fs.canary'),
    ),
    held(
      'proxy-certificate',
      "Clients never get the agent's client certificate, unless `proxy.useClientCertificate` lends it to them.",
      inFile(
        'test/deliver/proxy/certificate.test.ts',
        "the agent's client certificate",
      )('logs no client of the proxy in (useAutoAuthToken: %s)'),
    ),
    held(
      'proxy-login-not-cached',
      'No login is answered from the cache.',
      inFile(
        'test/deliver/proxy/leases.test.ts',
        'a login through the proxy',
      )('is sent to the server each time, also after the password has changed (useAutoAuthToken: %s)'),
    ),
    held(
      'proxy-others-tokens',
      "A client's requests about other tokens never end the agent's login.",
      inFile('test/deliver/proxy/others-tokens.test.ts', 'what a client asks about other tokens')(
        "says nothing about the agent's login (%s)",
        'sys/capabilities',
      ),
    ),
    held(
      'proxy-own-login',
      'No client ends the login of the agent, also not one that sends the token of that login as its own.',
      forwarding('is not ended through the proxy'),
      forwarding('is not ended, nor its life changed, by a client that sends the token of the login as its own'),
      forwarding('is not ended, nor its life changed, by a request that names it under any token'),
    ),
    held(
      'proxy-ready',
      'With `useAutoAuthToken` the agent logs in at the start, and `/readyz` fails while there is no login.',
      sealed('the login that the proxy lends is made before the first client connects (useAutoAuthToken: %s)'),
      inFile(
        'test/observe/health-watch.test.ts',
        'the health of an agent',
      )('is not ready while there is no login to lend to the clients of the proxy'),
    ),
    held(
      'proxy-behind-another',
      'With `auth: { method: none }` no token is sent and no login is made: another proxy on the way has the login.',
      behind('publishes and follows secrets through %s, and sends no token and makes no login', 'bao proxy'),
      behind('is known to validate, doctor and policy, which say what the proxy has to allow'),
      behind('says that nobody adds a token when the address is that of the server'),
    ),
    held(
      'proxy-hides-the-other-token',
      'Clients of a proxy behind another one neither get, wrap nor end the token of that one.',
      otherToken('is not in the answer to %s %s', 'GET'),
      otherToken('is neither revoked nor wrapped by a client'),
    ),
    held(
      'proxy-same-answers',
      "`bao`, hvac, node-vault and OpenBao's Go library get the same answers from the server, through `bao proxy`, and through Pannier.",
      sameAnswers('hvac'),
      sameAnswers('bao'),
      sameAnswers('node-vault'),
      sameAnswers("a program with OpenBao's Go library (needs go on the PATH)"),
    ),
    held(
      'proxy-root-namespace',
      'With `namespaceAsRoot` no client leaves the namespace of the backend, however it names another one.',
      rootNamespace('cannot be left by the namespace %s', 'other'),
      rootNamespace('cannot be left by the namespace %s', '..%2fother'),
      rootNamespace('is where %s leads', 'a child'),
      rootNamespace('is that of a login inside of a request too'),
      rootNamespace('is the one whose paths cache-clear drops'),
    ),
    held(
      'proxy-quit',
      'A client of the proxy ends the agent only where `proxy.quit` allows it.',
      inFile('test/deliver/proxy/root-namespace.test.ts', 'quit')('ends nothing where it is not'),
    ),
    held(
      'proxy-sealed',
      'Requests that need no login of the agent pass while there is none: a sealed server is unsealed through the proxy.',
      sealed(
        'a server without a login for the agent is initialised, unsealed and set up through the proxy (useAutoAuthToken: %s)',
      ),
      sealed("a server without a login for the agent %s %s needs the agent's login: %s", 'POST'),
    ),
  ],
};
