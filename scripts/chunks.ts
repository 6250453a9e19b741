import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type BuildResult, type Metafile, transform } from 'esbuild';

type Chunks = BuildResult<{ write: false; metafile: true }>;

/**
 * Modules of Node that are loaded when something in them is called: many chunks import them, and what calls them does
 * so while the login is under way, or not at all. This one takes 2 ms to load.
 */
const LATE: ReadonlySet<string> = new Set(['node:fs/promises']);

export interface Scripts {
  /** By name, without the ending. */
  readonly texts: ReadonlyMap<string, string>;
  /** As esbuild would tell of the scripts, had it made them. */
  readonly metafile: Metafile;
}

/**
 * Makes scripts of the chunks that esbuild split ES modules into. The value of a script is an object of functions, one
 * a chunk; a chunk is required as `NAME.js#NUMBER`, see src/cli/load-main.ts.
 * @param lists by the script's name the modules whose chunks, with all that these import, lie in it unless an earlier
 * list has them; the first module's chunk is number 0. What no list has is in `rest`.
 * @param define names that stand for objects: put in before chunks are made, they would be a module that others change.
 */
export async function scriptsOf(
  { outputFiles, metafile }: Chunks,
  lists: Readonly<Record<string, readonly string[]>>,
  define: Readonly<Record<string, string>>,
): Promise<Scripts> {
  refuseVariableExports(metafile);
  const { outputs } = metafile;
  const placed = new Map<string, string>();
  const place = (chunk: string, script: string): void => {
    if (placed.has(chunk)) return;
    placed.set(chunk, script);
    for (const { path, kind, external } of outputs[chunk]?.imports ?? []) {
      if (kind === 'import-statement' && external !== true) place(path, script);
    }
  };
  for (const [script, modules] of Object.entries(lists)) {
    for (const module of modules) {
      const names = Object.keys(outputs);
      // Where node_modules is a link, the paths of libraries begin with where it leads.
      const isIt = (path: string) => path === module || path.endsWith(`/${module}`);
      const onNeed = names.find((name) => isIt(outputs[name]?.entryPoint ?? ''));
      const chunk = onNeed ?? names.find((name) => Object.keys(outputs[name]?.inputs ?? {}).some(isIt));
      if (chunk === undefined) throw new Error(`${module} is in no chunk, and so not for ${script}.js`);
      place(chunk, script);
    }
  }
  for (const chunk of Object.keys(outputs).sort()) place(chunk, 'rest');

  const members = new Map<string, string[]>([...new Set(placed.values())].map((script) => [script, []]));
  for (const chunk of placed.keys()) members.get(placed.get(chunk) ?? '')?.push(chunk);
  const numbers = new Map([...members.values()].flatMap((chunks) => chunks.map((chunk, number) => [chunk, number])));
  const ids = new Map(
    [...placed].map(([chunk, script]) => [`./${basename(chunk)}`, `./${script}.js#${numbers.get(chunk)}`]),
  );
  const chunkTexts = new Map(outputFiles.map(({ path, text }) => [`dist/${basename(path)}`, text]));
  const texts = new Map<string, string>();
  const made: Metafile['outputs'] = {};
  for (const [script, chunks] of members) {
    const functions = await Promise.all(
      chunks.map(async (chunk) => asFunction(chunkTexts.get(chunk) ?? '', outputs[chunk]?.imports ?? [], ids, define)),
    );
    const text = `({\n${functions.map((one, number) => `${number}:${one}`).join(',\n')}\n})\n`;
    texts.set(script, text);
    made[`dist/${script}.js`] = {
      bytes: Buffer.byteLength(text),
      inputs: Object.assign({}, ...chunks.map((chunk) => outputs[chunk]?.inputs)),
      imports: chunks.flatMap((chunk) => outputs[chunk]?.imports.filter(({ external }) => external === true) ?? []),
      exports: [],
    };
  }
  return { texts, metafile: { inputs: metafile.inputs, outputs: made } };
}

const HEAD = 'function(require,later,__dirname){';

/** An import of one line or of several, as esbuild writes it at the start of a line. */
const IMPORT = /^import (?:(?:\* as )?([\w$]+)(?: from |, ))?(?:\{([^{}]*)\} from )?"([^"]+)";\n/gm;
const EXPORT = /^export (?:\{([^{}]*)\}|default (.+));\n?/gm;

/**
 * A chunk as a function that takes `require`, `later` and `__dirname` and returns what the chunk exports. So an import
 * is a local constant. As CommonJS each would be a member of an object with getters, and each chunk would begin with
 * ten helpers that make and copy such objects.
 * @param outside what the chunk imports, as esbuild tells.
 */
async function asFunction(
  chunk: string,
  outside: Metafile['outputs'][string]['imports'],
  ids: ReadonlyMap<string, string>,
  define: Readonly<Record<string, string>>,
): Promise<string> {
  // Of a module that begins when CommonJS requires it: its exports change when it does, see refuseVariableExports.
  if (/\b__esm\(/.test(chunk)) throw new Error('a library of CommonJS requires an ES module');
  const idOf = (name: string) => (name.startsWith('./') && name.endsWith('.js') ? known(ids, name) : name);
  const imports: string[] = [];
  const exported: string[] = [];
  let counted = 0;
  const body = chunk
    .replace(IMPORT, (_, whole: string | undefined, names: string | undefined, from: string) => {
      // Esbuild keeps the order in which modules would be evaluated, which ours do not depend on.
      const isForOrder = names === undefined && whole === undefined && from.startsWith('./');
      imports.push(isForOrder ? '' : importOf(idOf(from), names, whole));
      return '';
    })
    .replace(EXPORT, (_, names: string | undefined, whole: string | undefined) => {
      exported.push(names === undefined ? `default:${whole}` : pairsOf(names, (local, name) => `${name}:${local}`));
      return '';
    })
    .replace(/\bimport\("([^"]+)"\)/g, (_, from: string) => {
      counted += 1;
      return `later("${idOf(from)}")`;
    });
  const statements = new Set(outside.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path)).size;
  if (imports.length < statements || (counted === 0) !== outside.every(({ kind }) => kind !== 'dynamic-import')) {
    throw new Error('esbuild writes its imports in another way than scripts/chunks.ts reads them');
  }
  // Assigned, since a function that nothing uses would be left out.
  const text = `it=${HEAD}${imports.join('')}\n${body}\nreturn{${exported.join()}}}`;
  const { code } = await transform(text, {
    platform: 'node',
    target: 'node22.22',
    minifySyntax: true,
    minifyWhitespace: true,
    charset: 'ascii',
    define: { ...define },
  });
  // What `define` puts in for a name stands before it.
  const [defined = '', made = ''] = code.trim().replace(/;$/, '').split(`it=${HEAD}`);
  return `${HEAD}${defined}${made}`;
}

function importOf(id: string, names: string | undefined, whole: string | undefined): string {
  const from = `require("${id}")`;
  if (LATE.has(id)) {
    if (names === undefined) throw new Error(`import ${id} by its members, since it is loaded when one is called`);
    if (/\bconstants\b/.test(names))
      throw new Error(`import constants from node:fs: each member of ${id} is a function`);
    return pairsOf(names, (name, local) => `const ${local}=(...args)=>${from}.${name}(...args);`, '');
  }
  if (whole !== undefined) return `const ${whole}=${from};${names === undefined ? '' : importOf(id, names, undefined)}`;
  return names === undefined ? `${from};` : `const{${pairsOf(names, (name, local) => `${name}:${local}`)}}=${from};`;
}

/** Of `a, b as c`, what `make` gives for the two names of each. */
function pairsOf(names: string, make: (first: string, second: string) => string, between = ','): string {
  return names
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map((one) => {
      const [first = '', second = first] = one.split(/\s+as\s+/);
      return make(first, second);
    })
    .join(between);
}

function known(ids: ReadonlyMap<string, string>, name: string): string {
  const id = ids.get(name);
  if (id === undefined) throw new Error(`no chunk is ${name}`);
  return id;
}

/** Importers get the value that an export has when its chunk is evaluated: it must not change later. */
function refuseVariableExports({ inputs }: Metafile): void {
  for (const [path, { format }] of Object.entries(inputs)) {
    if (format !== 'esm') continue;
    const [found] = /^export (?:let|var) .*/m.exec(readFileSync(path, 'utf8')) ?? [];
    if (found !== undefined) throw new Error(`${path} exports a variable: ${found}`);
  }
}
