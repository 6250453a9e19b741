import { isFields, type Value } from '../../base/value.ts';
import type { FormatOptions } from '../../config/config.ts';
import { keysOf } from './keys.ts';
import { demandPicked, type PickedSource } from './pick.ts';

/**
 * What a json or a yaml file holds. One source gives what is there; several give one map per secret name, in which a
 * source below a secret keeps its own place; `flat` gives one map of all fields. An optional secret that is absent is
 * left out.
 * @throws RenderFault
 */
export function treeOf(sources: readonly PickedSource[], options: FormatOptions): Value {
  if (options.flat) return new Map(keysOf(sources, options).map(({ key, value }) => [key, value]));
  const [only] = sources;
  if (only !== undefined && sources.length === 1) {
    return only.value === undefined && only.from.length === 1 ? new Map() : demandPicked(only);
  }
  const tree = new Tree();
  for (const { from, value } of sources) if (value !== undefined) tree.put(from, value);
  return tree.root;
}

/** Maps made of sources. What a snapshot holds is never written to: a map is copied before a field joins it. */
class Tree {
  readonly root = new Map<string, Value>();
  readonly #ours = new Set<Value>([this.root]);

  put(path: readonly string[], value: Value): void {
    let at = this.root;
    for (const step of path.slice(0, -1)) at = this.#open(at, step);
    const last = path.at(-1) as string;
    const there = at.get(last);
    // A part that came first is inside the whole anyway.
    at.set(last, isFields(there) && isFields(value) ? new Map([...there, ...value]) : value);
  }

  #open(parent: Map<string, Value>, step: string): Map<string, Value> {
    const there = parent.get(step);
    if (there instanceof Map && this.#ours.has(there)) return there;
    const ours = new Map<string, Value>(isFields(there) ? there : []);
    this.#ours.add(ours);
    parent.set(step, ours);
    return ours;
  }
}
