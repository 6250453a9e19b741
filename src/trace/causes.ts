import type { Fact } from '../base/fact.ts';
import type { TraceIds, Work } from '../base/tracing.ts';

/** A publish with more causes has links to the first of them only. */
const MAX_CAUSES = 32;

/** What a piece of work follows: a publish the fetches that it publishes, a reload its publish. */
export class Causes {
  /** By secret: the span that changed it last. The order is that of the changes. */
  readonly #changes = new Map<string, { readonly ids: TraceIds; readonly number: number }>();
  #number = 0;
  /** By output: the number of the last change when its present publish began, and of the last one that is published. */
  readonly #begun = new Map<string, number>();
  readonly #done = new Map<string, number>();
  readonly #published = new Map<string, { readonly generation: number; readonly ids: TraceIds }>();

  hear(fact: Fact, ids: TraceIds | undefined): void {
    if (fact.kind === 'secret-changed' || fact.kind === 'secret-kept') {
      if (ids === undefined) return;
      this.#number++;
      for (const name of fact.secrets) this.#changes.set(name, { ids, number: this.#number });
    } else if (fact.kind === 'secret-dropped') {
      for (const name of fact.secrets) this.#changes.delete(name);
    } else if (fact.kind === 'output-published' || fact.kind === 'output-rolled-back') {
      this.#isDone(fact.output);
      if (ids !== undefined) this.#published.set(fact.output, { generation: fact.generation, ids });
    } else if (fact.kind === 'output-unchanged') this.#isDone(fact.output);
  }

  /** The spans that `work` follows, the first one first; undefined: it follows none. */
  of(work: Extract<Work, { kind: 'publish' | 'reload' }>): readonly TraceIds[] | undefined {
    if (work.kind === 'reload') {
      const published = this.#published.get(work.output);
      return published?.generation === work.generation ? [published.ids] : undefined;
    }
    const done = this.#done.get(work.output) ?? 0;
    this.#begun.set(work.output, this.#number);
    const changes = [...work.secrets].flatMap((name) => this.#changes.get(name) ?? []);
    const fresh = changes.filter(({ number }) => number > done).sort((a, b) => a.number - b.number);
    const spans = [...new Map(fresh.map(({ ids }) => [ids.spanId, ids])).values()];
    return spans.length === 0 ? undefined : spans.slice(0, MAX_CAUSES);
  }

  #isDone(output: string): void {
    this.#done.set(output, this.#begun.get(output) ?? this.#number);
  }
}
