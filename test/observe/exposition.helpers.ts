import { spawn } from 'node:child_process';
import { pythonPackage } from '../render/formats/installed.helpers.ts';

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    /** The labels of its exemplar, in OpenMetrics. */
    readonly exemplar?: Readonly<Record<string, string>>;
  }[];
}

const READ = `
import json, sys
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "openmetrics":
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
else:
    from prometheus_client.parser import text_string_to_metric_families
text = sys.stdin.buffer.read().decode("utf-8")
print(json.dumps([
    {"name": f.name, "type": f.type, "help": f.documentation,
     "samples": [{"name": s.name, "labels": s.labels, "value": s.value if s.value == s.value else None,
                  **({"exemplar": s.exemplar.labels} if s.exemplar else {})} for s in f.samples]}
    for f in text_string_to_metric_families(text)
]))
`;

/** Parses a scrape with Prometheus's Python client; rejects with the client's message when it refuses the text. */
export async function readExposition(text: string, as: 'prometheus' | 'openmetrics'): Promise<readonly Family[]> {
  const library = await pythonPackage('prometheus_client', '0.26.0');
  return new Promise((resolve, reject) => {
    const python = spawn('python3', ['-c', READ, library, as], { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let error = '';
    python.stdout.on('data', (chunk) => {
      out += chunk;
    });
    python.stderr.on('data', (chunk) => {
      error += chunk;
    });
    python.once('error', reject);
    python.once('close', (status) => (status === 0 ? resolve(JSON.parse(out)) : reject(new Error(error.slice(-800)))));
    python.stdin.on('error', () => {});
    python.stdin.end(text);
  });
}

/** The one value of a series; undefined when there is none. */
export function sampleOf(
  families: readonly Family[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const samples = families.flatMap((family) => family.samples).filter((sample) => sample.name === name);
  return samples.find((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value;
}
