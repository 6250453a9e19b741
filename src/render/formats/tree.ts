import { isFields, type Value } from '../../base/value.ts';
import { demandPicked, type PickedSource } from './pick.ts';

/**
 * The value that a json or a yaml file holds. One source gives its own value. Several sources give a map with an entry
 * per secret, in which a field keeps its path below the secret. An optional secret that is absent is left out.
 * @throws RenderFault
 */
export function treeOf(sources: readonly PickedSource[]): Value {
  const [only] = sources;
  if (only !== undefined && sources.length === 1) {
    return only.value === undefined && only.from.length === 1 ? new Map() : demandPicked(only);
  }
  const tree = new Tree();
  for (const { from, value } of sources) if (value !== undefined) tree.put(from, value);
  return tree.root;
}

/** A map built of sources. It never changes a map of a snapshot: it copies a map before it adds a field. */
class Tree {
  readonly root = new Map<string, Value>();
  /** Maps that this tree made, and may therefore change. */
  readonly #ownMaps = new Set<Value>([this.root]);

  put(path: readonly string[], value: Value): void {
    let at = this.root;
    for (const step of path.slice(0, -1)) at = this.#mapAt(at, step);
    const last = path.at(-1) as string;
    const existing = at.get(last);
    // When a field came before the map that holds it, the map only adds to it.
    at.set(last, isFields(existing) && isFields(value) ? new Map([...existing, ...value]) : value);
  }

  /** The map at a step, which may be changed: it is made, or copied, when it is not the tree's own. */
  #mapAt(parent: Map<string, Value>, step: string): Map<string, Value> {
    const existing = parent.get(step);
    if (existing instanceof Map && this.#ownMaps.has(existing)) return existing;
    const own = new Map<string, Value>(isFields(existing) ? existing : []);
    this.#ownMaps.add(own);
    parent.set(step, own);
    return own;
  }
}
