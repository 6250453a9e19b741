import type { SaidSettings } from '../settings.ts';
import { type JsonMap, mapOf } from './json.ts';

/**
 * The requests of an agent in a pod with requests of its own (`spec.resources`): none, so that it shares them. The API
 * server refuses a pod whose containers ask for more together, and the pod was not made with the agent in mind.
 */
export function sharedRequests(spec: JsonMap): SaidSettings {
  const theirs = mapOf(mapOf(spec['resources'])['requests']);
  const shared = ['cpu', 'memory'].filter((name) => (theirs[name] ?? undefined) !== undefined);
  return { requests: Object.fromEntries(shared.map((name) => [name, '0'])) };
}
