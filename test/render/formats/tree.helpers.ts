/** The programs that read JSON and YAML files, for real. Each tells what it read with the type of every leaf. */
import { parse } from 'yaml';
import { jsonLines, pythonPackage, run, whatIsHere, withPaths } from './installed.helpers.ts';
import { toldNumber } from './values.helpers.ts';

const PYYAML = '6.0.3';
const RUAMEL = '0.19.1';

export interface TreeReader {
  readonly name: string;
  read(file: Uint8Array): Promise<unknown>;
}

const toldByPython = `import sys, json
def told(v):
    if v is None or isinstance(v, bool): return v
    if isinstance(v, str): return {'text': v}
    if isinstance(v, int): return {'number': str(v)}
    if isinstance(v, float): return {'double': repr(v)}
    if isinstance(v, list): return [told(x) for x in v]
    if isinstance(v, dict): return {'map': [[k if isinstance(k, str) else repr(k), told(x)] for k, x in v.items()]}
    return {'other': repr(type(v))}
`;

const python = (name: string, dir: string, load: string): TreeReader => ({
  name,
  read: (file) =>
    withPaths([file], async (paths) => {
      const script = `${toldByPython}\nif sys.argv[1]: sys.path.insert(0, sys.argv[1])\n${load}`;
      const { stdout } = await run('python3', ['-c', script, dir, ...paths], { maxBuffer: 1 << 28 });
      return doubled(jsonLines(stdout)[0]);
    }),
});

/** Python's spelling of a double as ours. */
function doubled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(doubled);
  if (typeof value !== 'object' || value === null) return value;
  const { map, double } = value as { map?: [string, unknown][]; double?: string };
  if (double !== undefined) return { number: String(Number(double)) };
  return map === undefined ? value : { map: map.map(([name, field]) => [name, doubled(field)]) };
}

const nodeYaml = (version: '1.1' | '1.2'): TreeReader => ({
  name: `yaml ${version}`,
  read: async (file) =>
    toldByNode(parse(Buffer.from(file).toString(), { version, intAsBigInt: true, mapAsMap: true, strict: true })),
});

function toldByNode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toldByNode);
  if (value instanceof Map) return { map: [...value].map(([name, field]) => [name, toldByNode(field)]) };
  if (typeof value === 'string') return { text: value };
  return typeof value === 'bigint' || typeof value === 'number' ? toldNumber(String(value)) : value;
}

export const yamlReaders = () =>
  whatIsHere<TreeReader>({
    'yaml 1.1': async () => nodeYaml('1.1'),
    'yaml 1.2': async () => nodeYaml('1.2'),
    PyYAML: async () =>
      python(
        'PyYAML',
        await pythonPackage('PyYAML', PYYAML),
        'import yaml; print(json.dumps(told(yaml.safe_load(open(sys.argv[2], encoding="utf-8", newline="")))))',
      ),
    'ruamel.yaml': async () =>
      python(
        'ruamel.yaml',
        await pythonPackage('ruamel.yaml', RUAMEL),
        'from ruamel.yaml import YAML; print(json.dumps(told(YAML(typ="safe", pure=True).load(open(sys.argv[2], "rb")))))',
      ),
  });

export const jsonReaders = () =>
  whatIsHere<TreeReader>({
    python: async () => python('python', '', 'print(json.dumps(told(json.load(open(sys.argv[2], "rb")))))'),
  });
