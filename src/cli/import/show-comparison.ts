import { systemClock } from '../../base/clock.ts';
import { formatFailure } from '../../base/errors.ts';
import { version } from '../../base/version.ts';
import { readEnvironment } from '../../config/environment.ts';
import { compareRenders } from '../../import/compare/compare.ts';
import type { FiledItem } from '../../import/config/stanza.ts';
import type { Imported } from '../../import/convert-config.ts';
import { print, printLines, tell } from '../print.ts';
import { differenceOf } from '../render/difference.ts';
import { listenForStop } from '../stop-signals.ts';

export interface ComparisonOptions {
  /** The program of the other side; absent: it is looked for on the PATH. */
  readonly with?: string;
  /** Shows values instead of marks. */
  readonly reveal?: boolean;
  readonly timeoutMs: number;
}

/** `pannier import --compare`: prints where the two sides differ. Answers whether they are the same. */
export async function showComparison(
  items: readonly FiledItem[],
  imported: Imported,
  options: ComparisonOptions,
): Promise<boolean> {
  using stop = listenForStop();
  const env = readEnvironment();
  const { renders, program, failures } = await compareRenders(items, imported, {
    ...(options.with === undefined ? {} : { program: options.with }),
    env,
    timeoutMs: options.timeoutMs,
    context: { clock: systemClock, random: Math.random, emit: () => {}, env, version },
    cwd: process.cwd(),
    signal: stop.signal,
  });
  let different = 0;
  for (const { name, theirs, ours, masked } of renders) {
    if (theirs === undefined && ours !== undefined) {
      different += 1;
      await printLines(`not compared: ${name} (${program} gave no such file; run it by hand to see why)\n`);
      continue;
    }
    const versions = { path: name, was: 'by the other program', is: 'by Pannier', old: theirs, now: ours };
    const difference = await differenceOf(versions, options.reveal === true ? undefined : (masked ?? new Uint8Array()));
    if (difference === '' && theirs !== undefined) await printLines(`same: ${name}\n`);
    else {
      different += 1;
      await print(difference === '' ? `not rendered: ${name}\n` : difference);
    }
  }
  for (const failed of failures) tell(`import --compare: ${formatFailure(failed)}\n`);
  if (renders.length === 0) await printLines('nothing to compare: there is no template\n');
  if (renders.length === 0) return failures.length === 0;
  const count = `${renders.length} ${renders.length === 1 ? 'file' : 'files'}`;
  await printLines(different === 0 ? `${count}, all the same\n` : `${count}, ${different} not the same\n`);
  return different === 0 && failures.length === 0;
}
