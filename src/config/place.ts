export type Path = readonly (string | number)[];

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const FILE_LIKE = /^[A-Za-z0-9_@+./-]{1,100}$/;

/**
 * A configuration path as people write it: `outputs.shop.files["app.env"].from[0]`.
 *
 * A key that is no name and no file name is not shown: `{token:hunter2}`, a forgotten space, makes the value a part
 * of the key.
 */
export function formatPlace(path: Path): string {
  let place = '';
  for (const step of path) {
    if (typeof step === 'number') place += `[${step}]`;
    else if (PLAIN.test(step)) place += place === '' ? step : `.${step}`;
    else place += FILE_LIKE.test(step) ? `["${step}"]` : '[a key that is not shown]';
  }
  return place;
}

/** What stands at a path; undefined when a step is missing. */
export function valueAt(tree: unknown, path: Path): unknown {
  let at = tree;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}
