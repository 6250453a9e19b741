/** The name and the place of the output that is the environment of exec's child. */
export const EXEC_ENVIRONMENT = 'exec.env';

/** The configuration path of an output. */
export function placeOfOutput(name: string): string {
  return name === EXEC_ENVIRONMENT ? EXEC_ENVIRONMENT : `outputs.${name}`;
}

/** The keys and indexes that lead to a part of a configuration file. */
export type ConfigPath = readonly (string | number)[];

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;
const FIELD_LIKE = /^[A-Za-z_][A-Za-z0-9_-]*\.[A-Za-z0-9_.-]{1,100}$/;
const NAME_LIKE = /^[\p{L}\p{N}_@+./ -]{1,100}$/u;

/**
 * A configuration path as people write it: `outputs.shop.files["app.env"].from[0]`.
 *
 * A key is hidden unless it looks like a key, or like the name of an output, a file or a field: in `{token:hunter2}`, a
 * forgotten space makes the value a part of the key.
 */
export function formatPlace(path: ConfigPath): string {
  let place = '';
  for (const [index, step] of path.entries()) {
    if (typeof step === 'number') place += `[${step}]`;
    else if (PLAIN.test(step)) place += place === '' ? step : `.${step}`;
    else if ((index === 1 || path[index - 1] === 'files' || isSdsName(path, index)) && NAME_LIKE.test(step))
      place += `["${step}"]`;
    else if ((path[index - 1] === 'with' || path[index - 1] === 'values') && FIELD_LIKE.test(step))
      place += `["${step}"]`;
    else place += '[a key that is not shown]';
  }
  return place;
}

const isSdsName = (path: ConfigPath, index: number): boolean => index === 2 && path[0] === 'sds';

/** A path as a key of a set or a map. Two paths never have the same key, unlike their places. */
export function pathKey(path: ConfigPath): string {
  return path.join('\0');
}

/** The value at a path; undefined when a step is missing. */
export function valueAt(tree: unknown, path: ConfigPath): unknown {
  let at = tree;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}
