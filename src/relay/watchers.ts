import type { Change } from '../feed/change.ts';
import { type Marks, Topics } from '../feed/marks.ts';
import type { RelayLine, RelayRequest } from '../feed/relay-protocol.ts';

/** A connected agent, as its connection takes lines. */
export interface Watcher {
  /** Sends one line. False: the agent does not read what it was sent, so it is to be dropped. */
  send(line: RelayLine): boolean;
  close(): void;
}

/** Changes that are remembered for agents that come back, and the length of all their paths. */
const MAX_REMEMBERED = 10_000;
const MAX_REMEMBERED_LENGTH = 4 * 1024 * 1024;

/** All marks of all agents together: with what keeps them, about 200 MiB. */
const MAX_MARKS = 1_000_000;

interface Subscription {
  readonly watcher: Watcher;
  readonly number: number;
}

/** What is gathered for one agent until the end of the turn. */
interface Gathered {
  readonly changed: Set<number>;
  readonly broad: Set<number>;
}

interface Numbered {
  readonly number: number;
  readonly change: Change;
}

export interface RelayState {
  readonly live: boolean;
  readonly why?: string;
  readonly role: 'active' | 'standby';
}

/**
 * Tells agents of changes. Each agent gets one line for all changes of a turn of the event loop, and nothing is kept
 * for an agent that does not read: it is dropped, and comes back.
 */
export class Watchers {
  readonly #bootId: string;
  readonly #topics = new Topics<Subscription>();
  readonly #subscriptions = new Map<Watcher, readonly Subscription[]>();
  readonly #gathered = new Map<Watcher, Gathered>();
  /** How many marks each agent has. */
  readonly #counted = new Map<Watcher, number>();
  #remembered: Numbered[] = [];
  #rememberedLength = 0;
  #number = 0;
  #marks = 0;
  #state: RelayState = { live: false, why: 'the log was not read yet', role: 'active' };
  #told = 0;
  #dropped = 0;

  readonly #maxMarks: number;

  constructor(bootId: string, maxMarks = MAX_MARKS) {
    this.#bootId = bootId;
    this.#maxMarks = maxMarks;
  }

  /** For metrics: agents, their marks, changes so far, lines about them, and agents that were dropped. */
  get counts() {
    return {
      watchers: this.#subscriptions.size,
      marks: this.#marks,
      changes: this.#number,
      told: this.#told,
      dropped: this.#dropped,
    };
  }

  get state(): RelayState {
    return this.#state;
  }

  /** False: there are too many marks already. */
  add(watcher: Watcher, { topics, since }: RelayRequest): boolean {
    const marks = topics.reduce((sum, { length }) => sum + length, 0);
    if (this.#marks + marks > this.#maxMarks) return false;
    this.#flush(); // what comes before is for those before
    const missed = this.#missed(topics, since);
    this.#send(watcher, { isResumed: missed !== undefined, ...missed });
    const subscriptions = topics.map((own, number) => {
      const subscription = { watcher, number };
      this.#topics.add(subscription, own);
      return subscription;
    });
    this.#subscriptions.set(watcher, subscriptions);
    this.#marks += marks;
    this.#counted.set(watcher, marks);
    return true;
  }

  remove(watcher: Watcher): void {
    for (const subscription of this.#subscriptions.get(watcher) ?? []) this.#topics.remove(subscription);
    this.#subscriptions.delete(watcher);
    this.#gathered.delete(watcher);
    this.#marks -= this.#counted.get(watcher) ?? 0;
    this.#counted.delete(watcher);
  }

  changed(change: Change): void {
    this.#remember(change);
    for (const { watcher, number } of this.#topics.of(change)) this.#gather(watcher, number, change);
  }

  /** Everything may have changed, and nobody can say what. */
  gap(): void {
    this.#forget();
    for (const { watcher, number } of this.#topics.all()) this.#gatherAs(watcher, number, 'broad');
  }

  /** Tells all agents of another state. What was not told while the log was not live is not known. */
  become(state: RelayState): void {
    this.#flush();
    if (!state.live) this.#forget();
    this.#state = state;
    this.beat();
  }

  /** Sends each agent a line, so that it knows that the relay is there. */
  beat(): void {
    for (const watcher of [...this.#subscriptions.keys()]) this.#send(watcher, {});
  }

  closeAll(): void {
    for (const watcher of [...this.#subscriptions.keys()]) this.#drop(watcher);
  }

  #remember(change: Change): void {
    this.#number++;
    this.#remembered.push({ number: this.#number, change });
    this.#rememberedLength += change.path.length + change.namespace.length;
    while (this.#remembered.length > MAX_REMEMBERED || this.#rememberedLength > MAX_REMEMBERED_LENGTH) {
      const { path, namespace } = (this.#remembered.shift() as Numbered).change;
      this.#rememberedLength -= path.length + namespace.length;
    }
  }

  #forget(): void {
    this.#number++;
    this.#remembered = [];
    this.#rememberedLength = 0;
  }

  /** What an agent has missed since a line; undefined: that is not known any more. */
  #missed(topics: readonly Marks[], since = ''): Pick<RelayLine, 'changed' | 'broad'> | undefined {
    const [bootId, count] = since.split('.');
    const from = Number(count);
    const oldest = this.#remembered[0]?.number ?? this.#number + 1;
    if (!this.#state.live || bootId !== this.#bootId || !Number.isSafeInteger(from) || from > this.#number) return;
    if (from < oldest - 1) return undefined;
    const own = new Topics<number>();
    topics.forEach((marks, number) => void own.add(number, marks));
    const gathered: Gathered = { changed: new Set(), broad: new Set() };
    for (const { change } of this.#remembered.slice(from - oldest + 1)) {
      for (const number of own.of(change)) gathered[change.reach === 'path' ? 'changed' : 'broad'].add(number);
    }
    return listed(gathered);
  }

  #gather(watcher: Watcher, number: number, { reach }: Change): void {
    this.#gatherAs(watcher, number, reach === 'path' ? 'changed' : 'broad');
  }

  #gatherAs(watcher: Watcher, number: number, how: keyof Gathered): void {
    if (this.#gathered.size === 0) setImmediate(() => this.#flush());
    let gathered = this.#gathered.get(watcher);
    if (gathered === undefined) {
      gathered = { changed: new Set(), broad: new Set() };
      this.#gathered.set(watcher, gathered);
    }
    gathered[how].add(number);
  }

  #flush(): void {
    const all = [...this.#gathered];
    this.#gathered.clear();
    for (const [watcher, gathered] of all) {
      this.#told++;
      this.#send(watcher, listed(gathered));
    }
  }

  #send(watcher: Watcher, line: Partial<RelayLine>): void {
    const isTaken = watcher.send({ at: `${this.#bootId}.${this.#number}`, ...this.#state, ...line });
    if (isTaken) return;
    this.#dropped++;
    this.#drop(watcher);
  }

  #drop(watcher: Watcher): void {
    this.remove(watcher);
    watcher.close();
  }
}

function listed({ changed, broad }: Gathered): Pick<RelayLine, 'changed' | 'broad'> {
  return {
    ...(changed.size === 0 ? {} : { changed: [...changed] }),
    ...(broad.size === 0 ? {} : { broad: [...broad] }),
  };
}
