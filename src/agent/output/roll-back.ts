import { asFailure, type Failure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { Wish } from '../../deliver/api/api-agent.ts';
import type { Held } from '../../deliver/output-state.ts';
import type { EarlierGeneration, Sink, Staged } from '../../deliver/sink.ts';

/** The code of rollbacks, which most agents never need: import it on first use. */

/** What is rolled back. */
export interface RollBack {
  /** The published generation. */
  readonly generation: number;
  /** The generation to go back to; undefined: the one before. */
  readonly to: number | undefined;
  readonly why: Failure;
}

/** The files of an earlier generation are published again. */
export interface PublishedAgain {
  readonly generation: number;
  /** The earlier generation. */
  readonly from: number;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Publishes an earlier generation again, as a new one. The present one is held back while the files would be the same.
 * @param name of the output
 * @returns undefined: there is none to go back to, or none with other files.
 * @throws PannierError of the sink.
 */
export async function rollBack(
  sink: Sink,
  { generation, to, why }: RollBack,
  { name, emit }: { readonly name: string; readonly emit: Emit },
): Promise<PublishedAgain | undefined> {
  return await publishAgain(sink, await sink.earlier(to), async (staged) => {
    // A kill between these two leaves the generation published whose verification is owed, which fails again.
    try {
      await sink.hold(generation);
    } catch (error) {
      await staged.discard().catch(() => undefined); // the first error says more
      throw error;
    }
    const { generation: next } = await staged.commit();
    emit({ kind: 'output-rolled-back', output: name, generation: next, held: generation, failure: why });
    return next;
  });
}

/**
 * Publishes what is published once more, from the generation before it, while newer values are held back and it cannot
 * be rendered.
 * @returns undefined: no generation with these bytes is left.
 * @throws PannierError of the sink.
 */
export async function restore(sink: Sink): Promise<PublishedAgain | undefined> {
  const spare = await (await sink.drift?.())?.spare();
  return await publishAgain(sink, spare, async (staged) => (await staged.commit()).generation);
}

async function publishAgain(
  sink: Sink,
  earlier: EarlierGeneration | undefined,
  commit: (staged: Staged) => Promise<number>,
): Promise<PublishedAgain | undefined> {
  const staged = earlier === undefined ? 'equal' : await sink.stage(earlier.files);
  if (earlier === undefined || typeof staged === 'string') return undefined;
  return { generation: await commit(staged), from: earlier.generation, files: earlier.files };
}

/** What an output's loop lets a wish do. */
export interface WishedOutput {
  readonly place: string;
  readonly held: Held | undefined;
  /** The published generation; undefined: none, or it is not known good. */
  readonly generation: number | undefined;
  /** As the function above; the new generation is reloaded. False: there is nothing to go back to. */
  rollBack(generation: number, why: Failure, to?: number): Promise<boolean>;
  /** The generations that are kept and could be gone back to, ascending. */
  kept(): Promise<readonly number[]>;
  /** Publishes what is held back, if it still is the newest. */
  resume(): Promise<void>;
}

/** @returns why the wish could not be carried out; undefined: it was. */
export async function carryOut(wish: Wish, output: WishedOutput): Promise<Failure | undefined> {
  try {
    return await tryTo(wish, output);
  } catch (error) {
    return asFailure(error, output.place);
  }
}

async function tryTo(wish: Wish, output: WishedOutput): Promise<Failure | undefined> {
  const { place, held, generation } = output;
  if (wish.kind === 'resume') {
    if (held === undefined) return failure('API_NOT_HELD', place, 'nothing is held back');
    return void (await output.resume());
  }
  const { to } = wish;
  const what = to === undefined ? 'the generation before' : `generation ${to}`;
  const why = failure('OUTPUT_HELD', place, `a client asked for ${what}`);
  if (generation === undefined) {
    return failure(
      'API_NOT_PUBLISHED',
      place,
      'the output waits or has failed, so what is published is not known good',
    );
  }
  if (await output.rollBack(generation, why, to)) return undefined;
  if (to !== undefined) return await notThere(to, generation, output);
  const already = held?.generation === undefined ? '' : `generation ${held.generation} is taken back already, and `;
  return failure('API_NO_PREVIOUS', place, `${already}there is no generation to go back to`);
}

async function notThere(to: number, generation: number, { place, kept }: WishedOutput): Promise<Failure> {
  const numbers = await kept();
  if (to === generation || numbers.includes(to)) {
    return failure('API_NO_PREVIOUS', place, `generation ${to} has the files that are published`);
  }
  const hint = numbers.length === 0 ? 'None is kept.' : `Kept: ${numbers.join(', ')}. See keep of the output.`;
  return failure('API_NO_PREVIOUS', place, `there is no generation ${to} to go back to`, { hint });
}
