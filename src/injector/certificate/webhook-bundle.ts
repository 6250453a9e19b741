import { fail } from '../../base/errors.ts';
import { listOf, mapOf, textOf } from '../pod/json.ts';
import type { CallApiServer } from './api-server.ts';
import { mergeBundle } from './ca-bundle.ts';

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

/** Another replica may write at the same moment; then what it wrote is read, and ours is added to it. */
const MAX_TRIES = 8;

/** 409 is a conflict; a `test` of the patch that fails is 422. */
const CONFLICTS = [409, 422];

/**
 * Sees to it that the API server trusts our authorities: writes `caBundle` of each webhook of a configuration, when
 * something is missing there, and nothing else of it.
 * @throws PannierError INJECTOR_API_SERVER
 */
export async function includeInBundle(
  call: CallApiServer,
  { name, own, nowMs }: { readonly name: string; readonly own: readonly string[]; readonly nowMs: number },
): Promise<void> {
  const path = `${CONFIGURATIONS}/${encodeURIComponent(name)}`;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const read = await call('GET', path);
    if (read.status !== 200) throw refused(name, 'read', read.status);
    const version = mapOf(mapOf(read.body)['metadata'])['resourceVersion'];
    const patch = listOf(mapOf(read.body)['webhooks']).flatMap(({ clientConfig }, index) => {
      const before = Buffer.from(textOf(mapOf(clientConfig)['caBundle']) ?? '', 'base64').toString();
      const merged = mergeBundle(before, own, nowMs);
      const value = Buffer.from(merged).toString('base64');
      return merged === before ? [] : [{ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value }];
    });
    if (patch.length === 0) return;
    const test = { op: 'test', path: '/metadata/resourceVersion', value: version };
    const written = await call('PATCH', path, [test, ...patch]);
    if (written.status === 200) return;
    if (!CONFLICTS.includes(written.status)) throw refused(name, 'changed', written.status);
  }
  throw fail('INJECTOR_API_SERVER', name, 'other writers were always faster');
}

const refused = (name: string, what: string, status: number) =>
  fail('INJECTOR_API_SERVER', name, `the webhook's configuration cannot be ${what} (status ${status})`);
