import type { Backend } from '../backend.ts';
import type { OpeningContext } from '../context.ts';
import { AcmeAccount } from './account.ts';
import { findAccountKey } from './account-key.ts';
import { AcmeSource } from './certificate.ts';
import { Dns01 } from './challenge/dns01.ts';
import { Http01 } from './challenge/http01.ts';
import { AcmeClient } from './client/client.ts';
import type { AcmeBackendConfig, Http01Config } from './config/config.ts';
import { OrderBook, ordersOf } from './order-book.ts';

/**
 * Opens a backend with its own connections. Nothing is sent, and no port is opened, before a certificate is ordered.
 */
export function openAcmeBackend(config: AcmeBackendConfig, context: OpeningContext): Backend {
  const { clock, random, emit, runCommand } = context;
  const { name, address, account: accountConfig, http01, dns01 } = config;
  const stop = new AbortController();
  const client = new AcmeClient(config, context);
  const place = `backends.${name}`;
  const account = new AcmeAccount({ client, account: accountConfig, stop: stop.signal, place, emit });
  const { keyFile } = accountConfig;
  const accountKey = () => findAccountKey({ account: accountConfig, place, emit }, stop.signal);
  const kept = { clock, emit, accountKey, place: `${place}.accountKeyFile` };
  const book = keyFile === undefined ? undefined : new OrderBook({ ...kept, dir: ordersOf(keyFile) });
  const provers = {
    'http-01': http01 && listenerAt(http01, context.kept),
    'dns-01': dns01 && new Dns01(dns01, { clock, emit, runCommand }),
  };
  return {
    name,
    where: address,
    source: new AcmeSource({ client, account, provers, clock, random, book }),
    identity: JSON.stringify(['acme', address, accountConfig.keyFile ?? `literal ${name}`]),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await client[Symbol.asyncDispose]();
    },
  };
}

/** All backends that listen at one place share the listener, also one that takes the place of another. */
function listenerAt(where: Http01Config, kept: OpeningContext['kept']): Http01 {
  const key = `acme.http01 ${where.host} ${where.port}`;
  const listener = (kept.get(key) as Http01 | undefined) ?? new Http01(where);
  kept.set(key, listener);
  return listener;
}
