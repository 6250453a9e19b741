/**
 * The path of a request line as the server will understand it: without its query, decoded once, with one slash where
 * there are several (the server redirects to that). Undefined: it cannot be decoded. It is the only reading of a path:
 * the guard of the agent's login, the cache and the log all use it.
 */
export function readPath(url: string): string | undefined {
  const mark = url.indexOf('?');
  const written = mark < 0 ? url : url.slice(0, mark);
  try {
    const path = written.includes('%') ? decodeURIComponent(written) : written;
    return path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;
  } catch {
    return undefined;
  }
}
