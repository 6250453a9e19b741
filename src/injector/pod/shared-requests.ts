import { LIMIT_OF_MEMORY, type SaidSettings } from '../settings.ts';
import { exceeds } from './amount.ts';
import { type JsonMap, mapOf, textOf } from './json.ts';

/**
 * The resources of an agent in a pod with resources of its own (`spec.resources`). Its requests are none, so that it
 * shares them. The API server refuses a pod whose containers ask for more together than the request or the limit there,
 * and the pod was not made with the agent in mind. It also refuses a plain container, which `mode: both` adds, with a
 * limit that is more than the one of the pod.
 */
export function sharedRequests(spec: JsonMap, isPlain: boolean): SaidSettings {
  const { requests, limits } = mapOf(spec['resources']);
  const said = [mapOf(requests), mapOf(limits)];
  const shared = ['cpu', 'memory'].filter((name) => said.some((one) => (one[name] ?? undefined) !== undefined));
  const most = textOf(mapOf(limits)['memory']);
  return {
    requests: Object.fromEntries(shared.map((name) => [name, '0'])),
    ...(isPlain && most !== undefined && exceeds(LIMIT_OF_MEMORY, most) ? { limits: { memory: most } } : {}),
  };
}
