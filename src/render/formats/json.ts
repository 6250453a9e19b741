import { isFields, type Value } from '../../base/value.ts';
import { writeJson } from '../json-text.ts';
import { toBytes } from '../text.ts';
import { demandPicked, type Picked } from './pick.ts';

const INDENT = 2;

/**
 * One source gives what is there; several give one object per secret name, in which a source below a secret keeps its
 * own place. An optional secret that is absent is left out.
 */
export function writeJsonFile(sources: readonly Picked[]): Uint8Array {
  return toBytes(`${writeJson(contentOf(sources), INDENT)}\n`);
}

function contentOf(sources: readonly Picked[]): Value {
  const [only] = sources;
  if (only !== undefined && sources.length === 1) {
    return only.value === undefined && only.from.length === 1 ? new Map() : demandPicked(only);
  }
  const tree = new Tree();
  for (const { from, value } of sources) if (value !== undefined) tree.put(from, value);
  return tree.root;
}

/** Objects made of sources. What a snapshot holds is never written to: a map is copied before a field joins it. */
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
