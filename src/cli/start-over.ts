/**
 * Starts the program again, as the same process, without what the environment tells Node to do with it and what would
 * show values or let other code in:
 *
 * - NODE_DEBUG, since NODE_DEBUG=http prints every request with its token, and Node reads it before our first line;
 * - options of NODE_OPTIONS that open the inspector, load code, or write memory, environment or TLS keys to a file.
 *   They are mostly meant for another program of the container: of `exec` the child, which still gets them.
 *
 * Does nothing on Windows, which cannot replace a running process.
 * @param args the arguments after the program's own path.
 */
export function startOver(args: readonly string[]): void {
  const { NODE_DEBUG, NODE_OPTIONS = '', ...env } = process.env;
  const options = NODE_OPTIONS === '' ? '' : harmless(NODE_OPTIONS);
  if ((NODE_DEBUG === undefined && options === NODE_OPTIONS) || process.execve === undefined) return;
  process.execve(process.execPath, [process.execPath, ...args], {
    ...env,
    ...(options === '' ? {} : { NODE_OPTIONS: options }),
    // Read by src/config/environment.ts. It ends a circle as well: what is left is harmless.
    ...(options === NODE_OPTIONS ? {} : { PANNIER_NODE_OPTIONS: NODE_OPTIONS }),
  });
}

/** Node takes `_` for `-` in the names of options. */
const HARMFUL =
  /^(?:-r|--(?:require|import|(?:experimental-)?loader|inspect.*|debug.*|report-.*|heapsnapshot-.*|heap-prof.*|cpu-prof.*|diagnostic-dir|redirect-warnings|tls-keylog|trace-.*|experimental-(?:repl|inspect).*))$/;

/** Those that take a value, which may be the next word. */
const WITH_VALUE =
  /^(?:-r|--(?:require|import|(?:experimental-)?loader|inspect-port|inspect-publish-uid|report-(?:dir.*|filename|signal)|heapsnapshot-(?:signal|near-heap-limit)|heap-prof-.*|cpu-prof-.*|diagnostic-dir|redirect-warnings|tls-keylog|trace-event-.*|trace-require-module))$/;

/** Harmful options of a NODE_OPTIONS taken out, and the rest as it was. */
export function harmless(options: string): string {
  const kept: string[] = [];
  let dropped = 0;
  let isValue = false;
  // Words are between spaces, and double quotes hold them together.
  for (const [word] of options.matchAll(/(?:[^\s"\\]|\\.|"(?:[^"\\]|\\.)*"?)+/g)) {
    const [name = '', value] = word.replaceAll('"', '').split(/=(.*)/s, 2);
    const plain = name.startsWith('--') ? `--${name.slice(2).replaceAll('_', '-')}` : name;
    if (isValue && !name.startsWith('-')) {
      isValue = false;
      dropped++;
      continue;
    }
    isValue = false;
    if (!HARMFUL.test(plain)) {
      kept.push(word);
      continue;
    }
    dropped++;
    isValue = value === undefined && WITH_VALUE.test(plain);
  }
  return dropped === 0 ? options : kept.join(' ');
}
