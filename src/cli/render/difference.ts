import { join } from 'node:path';
import type { DryOutput } from '../../agent/dry-run.ts';
import { readCurrent } from '../../deliver/file/read-current.ts';
import { MASK } from '../../render/template/mask.ts';
import { createLineMask } from './masked-lines.ts';

/** When comparing two versions of a file takes longer than this, the output only says that they differ. */
const MAX_COMPARE_MS = 5_000;

/** What would become of one file. */
export interface FileDifference {
  readonly name: string;
  readonly change: 'same' | 'added' | 'changed' | 'removed';
  /** The unified difference; empty when there is none. */
  readonly text: string;
}

/**
 * The differences between the published files of an output and the rendered ones. The real bytes are compared. The
 * lines that are shown are masked unless `reveal`.
 * @throws PannierError OUTPUT_NOT_READABLE.
 */
export async function differencesOf(
  { output, files, masked }: DryOutput,
  reveal: boolean,
): Promise<readonly FileDifference[]> {
  const current = await readCurrent(output.dir, `outputs.${output.name}`);
  const before = current?.files ?? new Map<string, Uint8Array>();
  const generation = `generation ${current?.generation ?? 0}`;
  const names = [...files.keys(), ...[...before.keys()].filter((name) => !files.has(name))];
  return await Promise.all(
    names.map(async (name) => {
      const path = join(output.dir, name);
      const versions = { path, was: generation, is: 'rendered', old: before.get(name), now: files.get(name) };
      const text = await differenceOf(versions, reveal ? undefined : (masked.get(name) ?? new Uint8Array()));
      return { name, change: changeOf(versions), text };
    }),
  );
}

function changeOf({ old, now }: Versions): FileDifference['change'] {
  if (old === undefined) return 'added';
  if (now === undefined) return 'removed';
  return Buffer.compare(old, now) === 0 ? 'same' : 'changed';
}

/** Two versions of a file, and what they are called. */
export interface Versions {
  readonly path: string;
  readonly was: string;
  readonly is: string;
  readonly old: Uint8Array | undefined;
  readonly now: Uint8Array | undefined;
  /** Marks lines that differ in a value alone, where nobody expects a value to differ. */
  readonly marksHidden?: boolean;
}

/**
 * The unified difference of two versions; empty when they are the same.
 * @param masked the file with marks in the place of values, whose lines are shown; absent: the real lines are shown.
 */
export async function differenceOf(
  { path, was, is, old, now, marksHidden = false }: Versions,
  masked?: Uint8Array,
): Promise<string> {
  if (old !== undefined && now !== undefined && Buffer.compare(old, now) === 0) return '';
  const head = [
    old === undefined ? '--- /dev/null' : `--- ${path}\t${was}`,
    now === undefined ? '+++ /dev/null' : `+++ ${path}\t${is}`,
  ];
  const [from, to] = [decode(old ?? new Uint8Array()), decode(now ?? new Uint8Array())];
  if (from === undefined || to === undefined) return `${head.join('\n')}\nThe two versions differ and are not text.\n`;
  const shown = masked === undefined ? (line: string) => line : createLineMask((decode(masked) ?? '').split('\n'));
  const { structuredPatch } = await import('diff');
  const patch = structuredPatch(path, path, from, to, undefined, undefined, { context: 3, timeout: MAX_COMPARE_MS });
  if (patch === undefined) return `${head.join('\n')}\nThe two versions differ too much to be compared.\n`;
  for (const { oldStart, oldLines, newStart, newLines, lines } of patch.hunks) {
    // The head of a hunk without lines names the line before it.
    const at = (start: number, count: number) => `${count === 0 ? start - 1 : start},${count}`;
    head.push(`@@ -${at(oldStart, oldLines)} +${at(newStart, newLines)} @@`);
    const visible = lines.map((line) => (line.startsWith('\\') ? line : `${line[0]}${shown(line.slice(1))}`));
    head.push(...(marksHidden && masked !== undefined ? markHidden(visible) : visible));
  }
  return `${head.join('\n')}\n`;
}

/** Says of a line that was and one that is, and look the same, that a value in them differs. */
function markHidden(lines: readonly string[]): readonly string[] {
  const twins = new Set(lines.filter((line) => line.startsWith('-')).map((line) => `+${line.slice(1)}`));
  const both = new Set(lines.filter((line) => twins.has(line)).map((line) => line.slice(1)));
  return lines.map((line) =>
    /^[+-]/.test(line) && both.has(line.slice(1)) ? line.replaceAll(MASK, `${MASK.slice(0, -1)}, differs]`) : line,
  );
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
