/**
 * Starts the program again without NODE_DEBUG, as the same process. NODE_DEBUG=http prints every request with its
 * token, and Node reads the variable before our first line. Does nothing on Windows, which cannot replace a running
 * process.
 * @param args the arguments after the program's own path.
 */
export function startOverWithoutNodeDebug(args: readonly string[]): void {
  if (process.env['NODE_DEBUG'] === undefined || process.execve === undefined) return;
  const { NODE_DEBUG, ...env } = process.env;
  process.execve(process.execPath, [process.execPath, ...args], env);
}
