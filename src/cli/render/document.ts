import { join } from 'node:path';
import type { DryOutput } from '../../agent/dry-run.ts';
import type { Failure } from '../../base/errors.ts';
import type { FileDifference } from './difference.ts';

/** One output and what would become of its files; `differences` is absent where nothing was compared. */
export interface RenderedOutput {
  readonly dry: DryOutput;
  readonly differences?: readonly FileDifference[] | undefined;
}

/**
 * What was rendered, as one JSON document for programs; docs/operations.md describes it. Values are masked unless
 * `reveal`: then bytes that are no text are in base64.
 */
export function renderDocument(
  outputs: readonly RenderedOutput[],
  problems: readonly Failure[],
  reveal: boolean,
): string {
  const isCompared = outputs.some(({ differences }) => differences !== undefined);
  const isChanged = outputs.some(({ differences = [] }) => differences.some(({ change }) => change !== 'same'));
  const document = {
    ...(isCompared ? { changed: isChanged } : {}),
    outputs: outputs.map((one) => outputOf(one, reveal)),
    problems: problems.map(({ code, place, seen, hint, at }) => ({ code, place, seen, hint, ...at })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function outputOf({ dry: { output, files, masked }, differences }: RenderedOutput, reveal: boolean): object {
  const byName = new Map(differences?.map((one) => [one.name, one]));
  const removed = (differences ?? []).filter(({ change }) => change === 'removed').map(({ name }) => name);
  const rendered = reveal ? files : masked;
  return {
    name: output.name,
    dir: output.dir,
    files: [...rendered.keys(), ...removed].map((name) => {
      const difference = byName.get(name);
      const bytes = rendered.get(name);
      return {
        name,
        path: join(output.dir, name),
        ...(bytes === undefined ? {} : contentOf(bytes, reveal)),
        ...(difference === undefined ? {} : { change: difference.change, difference: difference.text }),
      };
    }),
  };
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function contentOf(bytes: Uint8Array, reveal: boolean): object {
  try {
    return { text: strictUtf8.decode(bytes) };
  } catch {
    return reveal ? { base64: Buffer.from(bytes).toString('base64') } : { binary: true };
  }
}
