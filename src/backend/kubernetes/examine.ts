import { failure } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import { parseJson } from '../../base/json.ts';
import { lookUp, plainText, type Value } from '../../base/value.ts';
import { checkReach } from '../../http/check-reach.ts';
import type { Examined } from '../examined.ts';
import { fetchEach } from '../fetch-each.ts';
import type { Connection } from './access/access.ts';
import { KubeSource } from './backend.ts';
import { KubeClient } from './client/client.ts';
import { kindWord, ruleLine } from './client/object-ref.ts';
import { refusalOf } from './client/refusal.ts';
import type { KubernetesBackendConfig, KubernetesRequest } from './config/config.ts';
import { openAccess } from './open.ts';

const WHO_AM_I = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };

/** Examines a cluster as the agent reaches it; see `Examiner`. Reviews are questions: the server stores none. */
export async function examine(
  { config, secrets, context, took }: Examined<KubernetesBackendConfig>,
  examination: Examination,
): Promise<void> {
  const place = `backends.${config.name}`;
  const access = await openAccess(config, context);
  await using client = new KubeClient({ config, access, context });
  const skip = (why: string) => {
    for (const secret of secrets) examination.skip('secret', secret.place, why);
  };
  let found: Connection | undefined;
  await examination.run('credential', place, async (signal) => {
    found = await client.connection(signal);
    const { token, credential, namespace } = found;
    return `found ${token === undefined ? 'a client certificate' : 'a token'} in ${credential}; namespace ${namespace}`;
  });
  if (found === undefined) {
    for (const check of ['name', 'connection', 'tls', 'login'])
      examination.skip(check, place, 'there is no credential');
    return skip('there is no credential');
  }
  const { address, tls, namespace: own } = found;
  const isReached = await checkReach(examination, { address, tls, env: context.env, place });
  if (!isReached) {
    examination.skip('login', place, 'no connection');
    return skip('no connection');
  }
  const ask = async (body: object, group: string, signal: AbortSignal): Promise<Value> => {
    const path = `/apis/${group}`;
    const { answer, connection } = await client.send({ method: 'POST', path, body, place }, signal);
    if (answer.status === 201) return parseJson(Buffer.from(answer.body).toString('utf8'));
    const { token, credential } = connection;
    const object = { resource: 'secrets', namespace: own, name: '' } as const;
    const about = { verb: 'get', object, address, place, credential, token, nowMs: context.clock.wallMs() } as const;
    throw refusalOf({ ...answer, ...about });
  };
  const isKnown = await examination.run('login', place, async (signal) => {
    const review = await ask(WHO_AM_I, 'authentication.k8s.io/v1/selfsubjectreviews', signal);
    return `the API server knows the credential as ${plainText(lookUp(review, 'status', 'userInfo', 'username')) ?? 'a user'}`;
  });
  if (!isKnown) return skip('the API server does not know the credential');
  using source = new KubeSource({ ...context, config, client });
  await fetchEach(examination, source, { secrets, took });
  for (const secret of secrets) {
    const { resource, object: name, namespace = own } = secret.request as KubernetesRequest;
    const resourceAttributes = { verb: 'watch', version: 'v1', resource, name, namespace };
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    };
    await examination.run('watch', secret.place, async (signal) => {
      const answer = await ask(review, 'authorization.k8s.io/v1/selfsubjectaccessreviews', signal);
      const what = `the ${kindWord({ resource })} ${name} in the namespace ${namespace}`;
      if (plainText(lookUp(answer, 'status', 'allowed')) === 'true')
        return `${what} may be watched: changes come at once`;
      const hint = `For changes that come at once add to its Role: ${ruleLine({ resource, name })}.`;
      return failure('SECRET_DENIED', secret.place, `${what} may not be watched, so it is polled at refresh`, { hint });
    });
  }
}
