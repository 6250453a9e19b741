import { systemClock } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
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

/** Nothing is told of a wait that is shorter. */
const QUIET_MS = 1000;

/** `pannier import --compare`: prints where the two sides differ. Answers whether they are the same. */
export async function showComparison(
  items: readonly FiledItem[],
  imported: Imported,
  options: ComparisonOptions,
): Promise<boolean> {
  using stop = listenForStop();
  const env = readEnvironment();
  let telling: NodeJS.Timeout | undefined;
  const { renders, program, failures } = await compareRenders(items, imported, {
    ...(options.with === undefined ? {} : { program: options.with }),
    env,
    timeoutMs: options.timeoutMs,
    context: { clock: systemClock, random: Math.random, emit: () => {}, env, version },
    cwd: process.cwd(),
    signal: stop.signal,
    onPhase: (who) => {
      clearTimeout(telling);
      const limit = formatDuration(options.timeoutMs);
      telling = setTimeout(() => tell(`import --compare: ${who} renders; given up after ${limit}\n`), QUIET_MS);
    },
  }).finally(() => clearTimeout(telling));
  let different = 0;
  for (const { name, theirs, ours, masked } of renders) {
    if (theirs === undefined || ours === undefined) {
      different += 1;
      await printLines(`not compared: ${name} (${missing(program, theirs, ours, failures.length > 0)})\n`);
      continue;
    }
    const versions = {
      path: name,
      was: 'by the other program',
      is: 'by Pannier',
      old: theirs,
      now: ours,
      marksHidden: true,
    };
    const difference = await differenceOf(versions, options.reveal === true ? undefined : (masked ?? new Uint8Array()));
    if (difference === '') await printLines(`same: ${name}\n`);
    else {
      different += 1;
      await print(difference);
    }
  }
  for (const failed of failures) tell(`import --compare: ${formatFailure(failed)}\n`);
  if (renders.length === 0) await printLines('nothing to compare: there is no template\n');
  if (renders.length === 0) return failures.length === 0;
  const count = `${renders.length} ${renders.length === 1 ? 'file' : 'files'}`;
  await printLines(different === 0 ? `${count}, all the same\n` : `${count}, ${different} not the same\n`);
  return different === 0 && failures.length === 0;
}

/** Why a file was not compared: which side has none, and where the reason is. */
function missing(
  program: string,
  theirs: Uint8Array | undefined,
  ours: Uint8Array | undefined,
  isTold: boolean,
): string {
  if (ours !== undefined) return `${program} gave no such file; run it by hand to see why`;
  const why = isTold ? '; the reason stands below' : '';
  return theirs === undefined ? `neither ${program} nor Pannier rendered it${why}` : `Pannier did not render it${why}`;
}
