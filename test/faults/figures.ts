/** docs/reliability.json: what the last full run of the fault suite and the last soak measured. */
import { readFile, writeFile } from 'node:fs/promises';
import { reliabilityPage } from '../docs/reliability-page.ts';
import type { Figures } from './case.ts';
import type { SoakFigures } from './soak-verdict.ts';

export interface Reliability {
  readonly cases: Readonly<Record<string, Omit<Figures, 'id'>>>;
  readonly soak?: SoakFigures;
}

const FILE = 'docs/reliability.json';

export async function readFigures(): Promise<Reliability> {
  return JSON.parse(await readFile(FILE, 'utf8').catch(() => '{"cases":{}}')) as Reliability;
}

/** Takes new figures up, and makes docs/reliability.md of all. */
export async function writeFigures(some: Partial<Reliability>): Promise<void> {
  const all = { ...(await readFigures()), ...some };
  await writeFile(FILE, `${JSON.stringify(all, null, 2)}\n`);
  await writeFile('docs/reliability.md', reliabilityPage(all));
}
