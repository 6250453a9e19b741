import type { ServerResponse } from 'node:http';
import { deadline } from '../../base/deadline.ts';
import type { Answers } from './answers.ts';
import type { ApiAgent } from './api-agent.ts';
import type { Audit } from './audit.ts';

/** What a watcher's events are made of. */
export interface EventSource {
  readonly agent: ApiAgent;
  readonly answers: Answers;
  readonly audit: Audit;
}

interface Event {
  readonly id: number;
  readonly name: string;
  readonly kind: 'secret' | 'state';
}

/** Who takes nothing for this long is cut off. */
const SLOW_MS = 30_000;

/**
 * One client that watches some secrets.
 *
 * It is told states, not history: what changes while the connection takes no more is only noted by name, and when it
 * drains the client gets what those secrets are then. So a slow reader costs a set of names, never a queue of values.
 * Events go out in the order of their numbers, so everything up to the last id has been sent, and an id is all that a
 * client must remember to resume.
 */
export class Watcher {
  /** Absent: all. */
  readonly names: ReadonlySet<string> | undefined;
  onClose: () => void = () => {};
  readonly #response: ServerResponse;
  #source: EventSource;
  /** Number of the last event sent. */
  #sent: number;
  readonly #pending = new Set<string>();
  #callOffSlow: (() => void) | undefined;

  /** @param after the client knows everything up to this number. */
  constructor(response: ServerResponse, source: EventSource, names: ReadonlySet<string> | undefined, after: number) {
    this.#response = response;
    this.#source = source;
    this.names = names;
    this.#sent = after;
    response.on('drain', () => {
      if (response.writableEnded) return;
      this.#callOffSlow?.();
      this.#callOffSlow = undefined;
      this.#flush();
    });
    response.once('close', () => {
      this.#callOffSlow?.();
      this.onClose();
    });
  }

  moveTo(source: EventSource): void {
    this.#source = source;
  }

  changed(names: Iterable<string>): void {
    for (const name of names) this.#pending.add(name);
    this.#flush();
  }

  beat(): void {
    if (this.#callOffSlow === undefined) this.#write(':\n\n');
  }

  /** @param reason for the client, in our words. */
  end(reason: string): void {
    const { socket } = this.#response;
    this.#response.once('finish', () => socket?.destroySoon());
    this.#callOffSlow ??= deadline(this.#source.agent.clock, SLOW_MS, () => this.#response.destroy());
    this.#response.end(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
    this.onClose();
  }

  #flush(): void {
    if (this.#callOffSlow !== undefined || this.#response.writableEnded) return;
    const events = [...this.#pending].flatMap((name) => this.#eventsOf(name)).sort((a, b) => a.id - b.id);
    this.#pending.clear();
    for (const event of events) {
      if (this.#callOffSlow !== undefined) this.#pending.add(event.name);
      else if (this.#write(this.#textOf(event))) this.#sent = event.id;
    }
  }

  #eventsOf(name: string): readonly Event[] {
    const entry = this.#source.agent.entryOf(name);
    if (entry === undefined) return [];
    const events: Event[] = [];
    const { state, stateNumber } = entry;
    const isNew = state !== 'absent' && entry.valueNumber > this.#sent;
    if (isNew) events.push({ id: entry.valueNumber, name, kind: 'secret' });
    // A value that comes is fresh unless it is said otherwise.
    if (stateNumber > this.#sent && !(isNew && state === 'fresh'))
      events.push({ id: stateNumber, name, kind: 'state' });
    return events;
  }

  #textOf({ id, name, kind }: Event): string {
    const { agent, answers, audit } = this.#source;
    const entry = agent.entryOf(name);
    const head = `event: ${kind}\nid: ${agent.bootId}-${id}\ndata: `;
    if (kind === 'secret' && entry !== undefined && entry.state !== 'absent') {
      audit.read('watch', name, '', entry);
      return `${head}${answers.whole(name, entry)}\n`;
    }
    const why = entry?.why;
    return `${head}${JSON.stringify({ name, state: entry?.state, code: why?.code, reason: why?.seen })}\n\n`;
  }

  /** False: the connection is gone. */
  #write(text: string): boolean {
    if (this.#response.destroyed) return false;
    if (!this.#response.write(text)) {
      this.#callOffSlow = deadline(this.#source.agent.clock, SLOW_MS, () => this.#response.destroy());
    }
    return true;
  }
}
