/** Runs the programs that read JSON and YAML files. Each gives what it read, with the type of every leaf. */
import { parse } from 'yaml';
import { jsonLines, pythonPackage, run, whatIsHere, withPaths } from './installed.helpers.ts';
import { typedNumber } from './values.helpers.ts';

const PYYAML = '6.0.3';
const RUAMEL = '0.19.1';

export interface TreeReader {
  readonly name: string;
  read(file: Uint8Array): Promise<unknown>;
}

const typedByPython = `import sys, json
def typed(v):
    if v is None or isinstance(v, bool): return v
    if isinstance(v, str): return {'text': v}
    if isinstance(v, int): return {'number': str(v)}
    if isinstance(v, float): return {'double': repr(v)}
    if isinstance(v, list): return [typed(x) for x in v]
    if isinstance(v, dict): return {'map': [[k if isinstance(k, str) else repr(k), typed(x)] for k, x in v.items()]}
    return {'other': repr(type(v))}
`;

const python = (name: string, dir: string, load: string): TreeReader => ({
  name,
  read: (file) =>
    withPaths([file], async (paths) => {
      const script = `${typedByPython}\nif sys.argv[1]: sys.path.insert(0, sys.argv[1])\n${load}`;
      const { stdout } = await run('python3', ['-c', script, dir, ...paths], { maxBuffer: 1 << 28 });
      return withDoubles(jsonLines(stdout)[0]);
    }),
});

/** Replaces Python's spelling of a double by JavaScript's. */
function withDoubles(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withDoubles);
  if (typeof value !== 'object' || value === null) return value;
  const { map, double } = value as { map?: [string, unknown][]; double?: string };
  if (double !== undefined) return { number: String(Number(double)) };
  return map === undefined ? value : { map: map.map(([name, field]) => [name, withDoubles(field)]) };
}

const nodeYaml = (version: '1.1' | '1.2'): TreeReader => ({
  name: `yaml ${version}`,
  read: async (file) =>
    typedByNode(parse(Buffer.from(file).toString(), { version, intAsBigInt: true, mapAsMap: true, strict: true })),
});

function typedByNode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(typedByNode);
  if (value instanceof Map) return { map: [...value].map(([name, field]) => [name, typedByNode(field)]) };
  if (typeof value === 'string') return { text: value };
  return typeof value === 'bigint' || typeof value === 'number' ? typedNumber(String(value)) : value;
}

export const yamlReaders = () =>
  whatIsHere<TreeReader>({
    'yaml 1.1': async () => nodeYaml('1.1'),
    'yaml 1.2': async () => nodeYaml('1.2'),
    PyYAML: async () =>
      python(
        'PyYAML',
        await pythonPackage('PyYAML', PYYAML),
        'import yaml; print(json.dumps(typed(yaml.safe_load(open(sys.argv[2], encoding="utf-8", newline="")))))',
      ),
    'ruamel.yaml': async () =>
      python(
        'ruamel.yaml',
        await pythonPackage('ruamel.yaml', RUAMEL),
        'from ruamel.yaml import YAML; print(json.dumps(typed(YAML(typ="safe", pure=True).load(open(sys.argv[2], "rb")))))',
      ),
  });

export const jsonReaders = () =>
  whatIsHere<TreeReader>({
    python: async () => python('python', '', 'print(json.dumps(typed(json.load(open(sys.argv[2], "rb")))))'),
  });
