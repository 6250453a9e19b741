import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import { parseAddress } from '../../../config/address.ts';
import { isLoopback } from '../../../config/host-port.ts';
import type { ConfigEntry } from '../../../config/load/entry.ts';
import type { ResolveContext } from '../../../config/resolve-context.ts';
import type { EventsConfig } from './config.ts';
import type { EventsShape } from './schema.ts';

/** A `refresh` of 5 minutes becomes a poll in two hours: 24 times fewer. */
const POLL_MS = 2 * 3_600_000;

type Shape = NonNullable<EventsShape>;

/** Resolves how the agent hears of changes; undefined when a problem was added. */
export function resolveEvents(
  shape: Shape,
  entry: ConfigEntry,
  context: ResolveContext,
): { readonly events: EventsConfig } | undefined {
  const { auditFile, url, poll, ...relayOnly } = shape;
  const pollMs = poll === undefined ? POLL_MS : (parseDuration(poll) as number);
  const { file, path } = entry;
  const place = [...path, 'events'];
  const { problems } = context;
  if ((auditFile === undefined) === (url === undefined)) {
    const seen = auditFile === undefined ? 'neither auditFile nor url' : 'both auditFile and url';
    problems.add('CONFIG_INVALID', file, place, seen, 'Name the log on this machine, or the relays that read it.');
    return undefined;
  }
  if (auditFile !== undefined) {
    for (const key of Object.keys(relayOnly)) {
      problems.add('CONFIG_INVALID', file, [...place, key], 'it is for url, and there is auditFile', 'Remove it.');
    }
    return { events: { kind: 'file', pollMs, auditFile: resolve(file.dir, auditFile) } };
  }
  return resolveRelays(shape, pollMs, entry, context);
}

function resolveRelays(
  { url, tokenFile, tls = {} }: Shape,
  pollMs: number,
  { file, path }: ConfigEntry,
  { problems }: ResolveContext,
): { readonly events: EventsConfig } | undefined {
  const place = [...path, 'events'];
  const { certFile, keyFile, caFile, serverName } = tls;
  let isWrong = false;
  const refuse = (key: readonly string[], seen: string, hint?: string) => {
    isWrong = true;
    problems.add('CONFIG_INVALID', file, [...place, ...key], seen, hint);
  };
  const urls = (typeof url === 'string' ? [url] : (url ?? [])).flatMap((text) => {
    const { address, wrong } = parseAddress(text);
    if (address === undefined || address.startsWith('unix:')) {
      refuse(['url'], wrong ?? 'a relay has no socket; https://HOST:PORT is expected');
      return [];
    }
    const { protocol, hostname } = new URL(address);
    if (protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''))) {
      refuse(['url'], 'http would send the token and paths in clear', 'Use https, or a relay on this machine.');
    }
    return [address];
  });
  if (urls.length === 0) refuse(['url'], 'the list is empty', 'Name a relay.');
  if ((certFile === undefined) !== (keyFile === undefined)) refuse(['tls'], 'certFile and keyFile belong together');
  if (tokenFile === undefined && certFile === undefined) {
    refuse([], 'neither tokenFile nor tls.certFile', 'Name what the relay knows this agent by.');
  }
  if (isWrong) return undefined;
  const absolute = (name: string, given: string | undefined) =>
    given === undefined ? {} : { [name]: resolve(file.dir, given) };
  return {
    events: {
      kind: 'relay',
      pollMs,
      urls: [...new Set(urls)],
      ...absolute('tokenFile', tokenFile),
      tls: {
        ...absolute('caFile', caFile),
        ...absolute('certFile', certFile),
        ...absolute('keyFile', keyFile),
        ...(serverName === undefined ? {} : { serverName }),
        skipVerify: false,
      },
    },
  };
}
