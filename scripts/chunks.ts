import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type BuildResult, type Metafile, transform } from 'esbuild';

type Chunks = BuildResult<{ write: false; metafile: true }>;

export interface Scripts {
  /** By name, without the ending. */
  readonly texts: ReadonlyMap<string, string>;
  /** As esbuild would tell of the scripts, had it made them. */
  readonly metafile: Metafile;
}

/**
 * Makes scripts of the chunks that esbuild split ES modules into. The value of a script is an object of functions, one
 * a chunk, like those around CommonJS modules; a chunk is required as `NAME.js#NUMBER`, see src/cli/load-main.ts.
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
      const onNeed = names.find((name) => outputs[name]?.entryPoint === module);
      const chunk = onNeed ?? names.find((name) => outputs[name]?.inputs[module] !== undefined);
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
      chunks.map(async (chunk) => asFunction(chunkTexts.get(chunk) ?? '', ids, define)),
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

async function asFunction(
  chunk: string,
  ids: ReadonlyMap<string, string>,
  define: Readonly<Record<string, string>>,
): Promise<string> {
  // Of a module that begins when CommonJS requires it: its exports change when it does, see refuseVariableExports.
  if (/\b__esm\(/.test(chunk)) throw new Error('a library of CommonJS requires an ES module');
  const { code } = await transform(chunk, {
    // Not ESM: there Node's own modules load before the first line, and each with a list of all it exports. And a
    // script can start from bytecode. Names stay: bytecode makes short ones pointless.
    format: 'cjs',
    platform: 'node',
    target: 'node22.22',
    minifySyntax: true,
    minifyWhitespace: true,
    charset: 'ascii',
    define: { ...define },
    // With `import` Node would look through all of a file for the names of its exports first.
    supported: { 'dynamic-import': false },
  });
  // Only members of it are loaded late, see LATE of src/cli/load-main.ts: a copy would have none.
  if (code.includes('__toESM(require("node:fs/promises")')) throw new Error('import node:fs/promises by its members');
  const named = code.replace(/\brequire\("(\.\/[\w.-]+\.js)"\)/g, (_, name: string) => {
    const id = ids.get(name);
    if (id === undefined) throw new Error(`no chunk is ${name}`);
    return `require("${id}")`;
  });
  return `function(exports,require,module,__dirname){${named}}`;
}

/** Importers get the value that an export has when its chunk is evaluated: it must not change later. */
function refuseVariableExports({ inputs }: Metafile): void {
  for (const [path, { format }] of Object.entries(inputs)) {
    if (format !== 'esm') continue;
    const [found] = /^export (?:let|var) .*/m.exec(readFileSync(path, 'utf8')) ?? [];
    if (found !== undefined) throw new Error(`${path} exports a variable: ${found}`);
  }
}
