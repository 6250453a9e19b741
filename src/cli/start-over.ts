/**
 * NODE_DEBUG=http prints every request with its token, and Node has read the variable before our first line: start over
 * without it, as the same process. Windows has no such call; there it is as if there were no NODE_DEBUG to take away.
 * @param args what follows the program's own path.
 */
export function startOverWithoutNodeDebug(args: readonly string[]): void {
  const { NODE_DEBUG, ...env } = process.env;
  if (NODE_DEBUG !== undefined && process.execve !== undefined) {
    process.execve(process.execPath, [process.execPath, ...args], env);
  }
}
