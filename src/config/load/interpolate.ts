import { resolve } from 'node:path';
import type { Environment } from '../environment.ts';
import { type ConfigPath, pathKey } from '../place.ts';
import type { Problems } from '../problems/problems.ts';
import { readCapped, type UnreadFile } from '../read-capped.ts';
import { isTree, type SourceFile } from './source-file.ts';

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const HINT = 'Write ${env:NAME} or ${file:PATH}; a literal ${ is written $${.';
const MAX_DEPTH = 64;

/**
 * How many maps and lists are visited: more than a file of 32 MiB has in any real configuration. Aliases that hold
 * aliases can make a small file very large.
 */
const MAX_NODES = 1_000_000;

/** A file before its references are filled. */
export type UnfilledFile = Pick<SourceFile, 'path' | 'dir' | 'label'>;

/**
 * Fills `${env:NAME}` and `${file:PATH}` in every scalar except inline templates; `$${` is a literal `${`. The values
 * of references are not searched for further references, and keys are left as they are. Also refuses the key
 * `__proto__`, which would change the prototype of the map.
 */
export async function interpolate(
  parsed: unknown,
  file: UnfilledFile,
  env: Environment,
  problems: Problems,
  readFile = readCapped,
): Promise<SourceFile> {
  const read = new Map<string, string | UnreadFile>();
  let walk = new Walk(file, env, undefined, read);
  let tree = walk.fill(parsed);
  if (walk.named.size > 0 || walk.hasRefused) {
    // The first walk finds which files are named. The second one has their contents, and its problems are reported.
    await Promise.all([...walk.named].map(async (path) => read.set(path, await readFile(path))));
    walk = new Walk(file, env, problems, read);
    tree = walk.fill(parsed);
  }
  return {
    ...file,
    tree: isTree(tree) ? tree : {},
    filled: walk.filled,
    unfilled: walk.unfilled,
  };
}

/** One walk through a file, which makes a copy with filled references. */
class Walk {
  readonly filled = new Set<string>();
  readonly unfilled = new Map<string, ConfigPath>();
  /** The absolute paths of files that references name. */
  readonly named = new Set<string>();
  readonly #file: UnfilledFile;
  readonly #env: Environment;
  /** Something is wrong, whether it was told or not. */
  hasRefused = false;
  readonly #problems: Problems | undefined;
  readonly #read: ReadonlyMap<string, string | UnreadFile>;
  readonly #path: (string | number)[] = [];
  #nodes = 0;

  /**
   * @param problems absent: what is wrong is not told.
   * @param read the contents of files that references name; a file that is not in it counts as empty.
   */
  constructor(
    file: UnfilledFile,
    env: Environment,
    problems: Problems | undefined,
    read: ReadonlyMap<string, string | UnreadFile>,
  ) {
    this.#read = read;
    this.#file = file;
    this.#env = env;
    this.#problems = problems;
  }

  fill(value: unknown): unknown {
    if (typeof value === 'string') return value.includes('${') && !isTemplate(this.#path) ? this.#text(value) : value;
    if (typeof value === 'number' && !Number.isFinite(value))
      this.#refuse('CONFIG_INVALID', 'the number is not finite');
    if (typeof value !== 'object' || value === null) return value;
    this.#nodes++;
    if (this.#nodes === MAX_NODES || this.#path.length === MAX_DEPTH)
      this.#refuse('CONFIG_MALFORMED', 'the file has too many values here, or they are nested too deeply');
    if (this.#nodes >= MAX_NODES || this.#path.length >= MAX_DEPTH) return null;
    if (Array.isArray(value)) return value.map((item, index) => this.#below(index, item));
    const filled: Record<string, unknown> = {};
    for (const [key, below] of Object.entries(value)) {
      if (key === '__proto__') this.#refuse('CONFIG_INVALID', '__proto__ cannot be a name here');
      else filled[key] = this.#below(key, below);
    }
    return filled;
  }

  #below(step: string | number, value: unknown): unknown {
    this.#path.push(step);
    const filled = this.fill(value);
    this.#path.pop();
    return filled;
  }

  #text(text: string): string {
    return text.replace(REFERENCE, (whole, inside?: string) => {
      if (inside === undefined) return '${';
      const place = pathKey(this.#path);
      const value = whole.endsWith('}')
        ? this.#valueOf(inside)
        : { why: 'the reference has no closing brace', hint: HINT };
      if (typeof value === 'string') {
        this.filled.add(place);
        return value;
      }
      this.unfilled.set(place, [...this.#path]);
      this.#refuse('CONFIG_REFERENCE', value.why, value.hint);
      return '';
    });
  }

  #valueOf(reference: string): string | { why: string; hint?: string } {
    const [, kind, name = ''] = /^(env|file):(.+)$/.exec(reference) ?? [];
    if (kind === 'env') {
      const shown = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : 'that the reference names';
      return (
        (Object.hasOwn(this.#env, name) ? this.#env[name] : undefined) ?? { why: `the variable ${shown} is not set` }
      );
    }
    if (kind === 'file') {
      const path = resolve(this.#file.dir, name);
      this.named.add(path);
      const text = this.#read.get(path) ?? '';
      return typeof text === 'string' ? text.replace(/\r?\n$/, '') : { why: `the file of the reference: ${text.why}` };
    }
    return { why: 'the reference is neither env nor file', hint: HINT };
  }

  #refuse(code: 'CONFIG_MALFORMED' | 'CONFIG_INVALID' | 'CONFIG_REFERENCE', seen: string, hint?: string): void {
    this.hasRefused = true;
    this.#problems?.add(code, this.#file, [...this.#path], seen, hint);
  }
}

/** Whether an inline template is at the path. A `${` is plain text there, and no reference can add to a template. */
function isTemplate(path: ConfigPath): boolean {
  const [section, name, part, , what, key] = path;
  if (section === 'exec') return name === 'env' && path.length === 3;
  if (section !== 'outputs') return false;
  if (part === 'files') return path.length === 5 && what === 'content';
  return part === 'reload' && what === 'http' && (path.length === 6 ? key === 'body' : key === 'headers');
}
