import { errnoWord } from '../../../base/errno.ts';
import { type Failure, fail, failure } from '../../../base/errors.ts';
import { isHeaderToken } from '../../../base/header-text.ts';
import type { Secret } from '../../../base/secret.ts';
import { SingleFlight } from '../../../base/single-flight.ts';
import type { TlsConfig } from '../../../config/config.ts';
import type { KubeconfigAccess } from '../config/config.ts';
import type { Access } from './access.ts';
import { readToken } from './cluster.ts';
import { type ExecCredential, ExecCredentials, type ExecDeps } from './exec-credential.ts';
import { type KubeContext, readKubeconfig, stampOf } from './kubeconfig.ts';

/** The access of a kubeconfig file, which is read again when it changes. */
export function createKubeconfigAccess(
  { path, context }: KubeconfigAccess,
  ownNamespace: string | undefined,
  deps: Omit<ExecDeps, 'closing'>,
): Access {
  const close = new AbortController();
  const flights = new SingleFlight<string, Read>();
  let last: (Read & { readonly stamp: string }) | undefined;
  /** The TLS of a plugin's certificate, as long as the plugin gives the same one. */
  let paired: { readonly of: ExecCredential; readonly base: TlsConfig; readonly tls: TlsConfig } | undefined;

  const read = async (place: string): Promise<Read> => {
    let stamp: string;
    try {
      stamp = await stampOf(path);
    } catch (error) {
      const code = errnoWord(error);
      throw fail('BACKEND_FILE', place, `${path} ${code === 'ENOENT' ? 'does not exist' : `(${code})`}`);
    }
    if (last?.stamp === stamp) return last;
    const found = await flights.run(stamp, async () => {
      const one = await readKubeconfig(path, context, place);
      const { user } = one;
      return {
        context: one,
        ...(user.kind === 'exec' ? { exec: new ExecCredentials(user.plugin, { ...deps, closing: close.signal }) } : {}),
      };
    });
    last = { ...found, stamp };
    return found;
  };

  const tlsWith = (base: TlsConfig, credential: ExecCredential): TlsConfig => {
    if (credential.pair === undefined) return base;
    if (paired?.of === credential && paired.base === base) return paired.tls;
    const { cert, key } = credential.pair;
    paired = { of: credential, base, tls: { ...base, held: { ...base.held, cert, key } } };
    return paired.tls;
  };

  return {
    where: path,
    identity: [path, context],
    async connection(backend, signal) {
      const place = `${backend}.kubeconfig`;
      const { context: found, exec } = await read(place);
      const { address, tls, user, userName } = found;
      const common = { address, tls, namespace: ownNamespace ?? found.namespace ?? 'default' };
      const credential = `the user ${userName} of ${path}`;
      if (exec !== undefined) {
        const given = await exec.current(place, signal);
        const token = given.token === undefined ? {} : { token: given.token };
        return { ...common, tls: tlsWith(tls, given), ...token, credential: `the plugin of ${credential}` };
      }
      if (user.kind === 'tokenFile') {
        return { ...common, token: await readToken(user.file, place, signal), credential: user.file };
      }
      if (user.kind === 'token') return { ...common, token: sendable(user.token, place, path), credential };
      return { ...common, credential };
    },
    refused: () => last?.exec?.forget(),
    trouble: (backend) => last?.exec?.trouble(`${backend}.kubeconfig`),
    close: () => close.abort(),
    inItsWords,
  };
}

interface Read {
  readonly context: KubeContext;
  readonly exec?: ExecCredentials;
}

/** What a kubeconfig file has in place of the keys of a backend. */
const ITS_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\btls\.caFile\b/g, 'certificate-authority of the cluster'],
  [/\btls\.certFile\b/g, 'client-certificate of the user'],
  [/\btls\.keyFile\b/g, 'client-key of the user'],
  [/\btls\.serverName\b/g, 'tls-server-name of the cluster'],
  [/\baddress\b/g, 'server of the cluster'],
];

/** The keys `tls` and `address` may not stand beside `kubeconfig`, so no message sends anybody there. */
function inItsWords(failed: Failure): Failure {
  const reword = (text: string) => ITS_WORDS.reduce((said, [key, word]) => said.replace(key, word), text);
  const { code, place, seen, hint } = failed;
  const [, backend, key] = /^(backends\..+)\.(tls(?:\.\w+)?)$/.exec(place) ?? [];
  const details = { ...failed, ...(hint === undefined ? {} : { hint: reword(hint) }) };
  if (backend === undefined || key === undefined) return failure(code, place, seen, details);
  const told = key === 'tls' ? reword(seen) : `${reword(key)}: ${seen}`;
  return failure(code, `${backend}.kubeconfig`, told, details);
}

function sendable(token: Secret, place: string, path: string): Secret {
  if (isHeaderToken(token.exposeText('backend'))) return token;
  throw fail('BACKEND_FILE', place, `${path}: the token holds a character that no header can carry`);
}
