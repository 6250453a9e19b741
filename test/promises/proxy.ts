import { held, inFile, type Section } from './promise.ts';

const reading = inFile('test/deliver/proxy/one-reading.test.ts');
const forwarding = inFile('test/deliver/proxy/forwarding.test.ts', "the agent's own login");
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
      'proxy-sealed',
      'Requests that need no login of the agent pass while there is none: a sealed server is unsealed through the proxy.',
      sealed(
        'a server without a login for the agent is initialised, unsealed and set up through the proxy (useAutoAuthToken: %s)',
      ),
      sealed("a server without a login for the agent %s %s needs the agent's login: %s", 'POST'),
    ),
  ],
};
