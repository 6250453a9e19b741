import type { PodSettings } from '../settings.ts';
import type { JsonMap } from './json.ts';
import { listOf } from './json.ts';
import { isOfMesh } from './mesh.ts';

/** The containers that see the files. */
export function seeing(spec: JsonMap, settings: PodSettings): readonly JsonMap[] {
  return [...listOf(spec['initContainers']), ...listOf(spec['containers'])].filter((one) => sees(one, settings));
}

export function sees({ name }: JsonMap, { containers }: PodSettings): boolean {
  return containers === undefined ? !isOfMesh(name) : containers.includes(String(name));
}
