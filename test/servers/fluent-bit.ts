/** The real Fluent Bit, where it is on the PATH: no package has it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from './server-process.ts';

/** A record that is put out, with the time of the record in seconds as `date`. */
export type FluentRecord = Readonly<Record<string, unknown>> & { readonly date: number };

export interface FluentBit extends AsyncDisposable {
  records(): readonly FluentRecord[];
}

const SERVICE = '[SERVICE]\n    Flush 0.2\n    Grace 1\n    Log_Level warn\n';
const STDOUT = '[OUTPUT]\n    Name stdout\n    Match *\n    Format json_lines\n';

/**
 * Starts it. It ends with the test process at the latest.
 * @param parsers sections of a file of parsers.
 * @param pipeline sections of inputs, filters, and outputs; without an output records are put out.
 */
export async function startFluentBit(parsers: string, pipeline: string): Promise<FluentBit> {
  const dir = await mkdtemp(join(tmpdir(), 'pannier-fluent-bit-'));
  const [parserFile, file, logFile] = [join(dir, 'parsers.conf'), join(dir, 'main.conf'), join(dir, 'log')];
  const output = pipeline.includes('[OUTPUT]') ? '' : STDOUT;
  await writeFile(parserFile, parsers);
  await writeFile(file, `${SERVICE}    Parsers_File ${parserFile}\n${pipeline}${output}`);
  const server = new ServerProcess({
    ...{ name: 'fluent-bit', command: 'fluent-bit', args: ['-q', '-c', file], logFile, dir, endSignal: 'SIGKILL' },
    env: { PATH: process.env['PATH'] ?? '' },
  });
  return {
    records: () =>
      server
        .log()
        .split('\n')
        .filter((line) => line.startsWith('{"date"') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as FluentRecord),
    async [Symbol.asyncDispose]() {
      await server.end();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
