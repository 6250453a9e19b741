/** Name and place of the output that is the child's environment. */
export const ENVIRONMENT = 'exec.env';

/** Where an output is configured. */
export function placeOfOutput(name: string): string {
  return name === ENVIRONMENT ? ENVIRONMENT : `outputs.${name}`;
}

export type ConfigPath = readonly (string | number)[];

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;
const FIELD_LIKE = /^[A-Za-z_][A-Za-z0-9_-]*\.[A-Za-z0-9_.-]{1,100}$/;
const NAME_LIKE = /^[\p{L}\p{N}_@+./ -]{1,100}$/u;

/**
 * A configuration path as people write it: `outputs.shop.files["app.env"].from[0]`.
 *
 * A key that neither looks like one nor names an output, a file or a field is not shown: `{token:hunter2}`, a forgotten
 * space, makes the value a part of the key.
 */
export function formatPlace(path: ConfigPath): string {
  let place = '';
  for (const [index, step] of path.entries()) {
    if (typeof step === 'number') place += `[${step}]`;
    else if (PLAIN.test(step)) place += place === '' ? step : `.${step}`;
    else if ((index === 1 || path[index - 1] === 'files') && NAME_LIKE.test(step)) place += `["${step}"]`;
    else if ((path[index - 1] === 'with' || path[index - 1] === 'values') && FIELD_LIKE.test(step))
      place += `["${step}"]`;
    else place += '[a key that is not shown]';
  }
  return place;
}

/** A path as a key of a set or a map; unlike a place no two paths share one. */
export function pathKey(path: ConfigPath): string {
  return path.join('\0');
}

/** What stands at a path; undefined when a step is missing. */
export function valueAt(tree: unknown, path: ConfigPath): unknown {
  let at = tree;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}
