/** A mount, a path or a namespace without slashes around it: they do not count. */
export function trimSlashes(text: string): string {
  return text.replace(/^\/+|\/+$/g, '');
}

/** Whether every part of the path is a name; `..` would end up somewhere else than it says. */
export function isApiPath(text: string): boolean {
  return trimSlashes(text)
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..');
}
