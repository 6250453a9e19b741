import { type Failure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { Wish } from '../../deliver/api/api-agent.ts';
import type { Held } from '../../deliver/output-state.ts';
import type { Sink } from '../../deliver/sink.ts';

/** The code of rollbacks, which most agents never need: import it on first use. */

/**
 * Publishes the generation before this one again, as a new one, and holds this one back until its values change.
 * @param name of the output
 * @returns the new generation and its files; undefined: there is none before it, or none with other files.
 * @throws PannierError of the sink.
 */
export async function rollBack(
  sink: Sink,
  generation: number,
  why: Failure,
  { name, emit }: { readonly name: string; readonly emit: Emit },
): Promise<{ readonly generation: number; readonly files: ReadonlyMap<string, Uint8Array> } | undefined> {
  const files = await sink.previous();
  const staged = files === undefined ? 'equal' : await sink.stage(files);
  if (files === undefined || typeof staged === 'string') return undefined;
  // A kill between these two leaves the generation published whose verification is owed, which fails again.
  try {
    await sink.hold(generation);
  } catch (error) {
    await staged.discard().catch(() => undefined); // the first error says more
    throw error;
  }
  const { generation: next } = await staged.commit();
  emit({ kind: 'output-rolled-back', output: name, generation: next, held: generation, failure: why });
  return { generation: next, files };
}

/** What an output's loop lets a wish do. */
export interface WishedOutput {
  readonly place: string;
  readonly held: Held | undefined;
  /** The published generation; undefined: none, or it is not known good. */
  readonly generation: number | undefined;
  /** As the function above; the new generation is reloaded. False: there is nothing to go back to. */
  rollBack(generation: number, why: Failure): Promise<boolean>;
  /** Publishes what is held back, if it still is the newest. */
  resume(): Promise<void>;
}

/** @returns why the wish cannot be carried out; undefined: it was. @throws PannierError of the sink. */
export async function carryOut(wish: Wish, output: WishedOutput): Promise<Failure | undefined> {
  const { place, held, generation } = output;
  if (wish === 'resume') {
    if (held === undefined) return failure('API_NOT_HELD', place, 'nothing is held back');
    return void (await output.resume());
  }
  const why = failure('OUTPUT_HELD', place, 'a client asked for the generation before');
  if (generation === undefined) {
    return failure(
      'API_NOT_PUBLISHED',
      place,
      'the output waits or has failed, so what is published is not known good',
    );
  }
  if (await output.rollBack(generation, why)) return undefined;
  const already = held?.generation === undefined ? '' : `generation ${held.generation} is taken back already, and `;
  return failure('API_NO_PREVIOUS', place, `${already}there is no generation to go back to`);
}
