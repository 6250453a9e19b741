import type { ServerResponse } from 'node:http';
import { deadline } from '../../base/deadline.ts';
import type { AnswerCache } from './answers.ts';
import type { ApiAgent } from './api-agent.ts';
import type { Audit } from './audit.ts';
import type { EventsInFlight, Receiver } from './in-flight.ts';

/** What a watcher's events are made of. */
export interface EventSource {
  readonly inFlight: EventsInFlight;
  readonly agent: ApiAgent;
  readonly answers: AnswerCache;
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
 * drains the client gets what those secrets are then. So a slow reader costs a set of names and the event that it has
 * not taken, whose bytes all readers share, never a queue of values. Events go out in the order of their numbers, so
 * everything up to the last id has been sent, and an id is all that a client must remember to resume.
 */
export class Watcher implements Receiver {
  /** Absent: all. */
  readonly names: ReadonlySet<string> | undefined;
  onClose: () => void = () => {};
  readonly #response: ServerResponse;
  #source: EventSource;
  /** Number of the last event sent. */
  #sent: number;
  readonly #pending = new Set<string>();
  #callOffSlow: (() => void) | undefined;
  /** Lets go of the events whose bytes the connection has not taken yet. */
  readonly #lands = new Set<() => void>();

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
      for (const land of this.#lands) land();
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

  /** What waits for this reader to take it is too much for the listener. */
  cutOff(): void {
    this.#response.destroy();
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
      else if (this.#send(event)) this.#sent = event.id;
    }
  }

  #eventsOf(name: string): readonly Event[] {
    const entry = this.#source.agent.secrets.entryOf(name);
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

  /** False: the connection is gone. */
  #send(event: Event): boolean {
    if (this.#response.destroyed) return false;
    const { agent, audit, inFlight } = this.#source;
    const { id, name, kind } = event;
    const entry = agent.secrets.entryOf(name);
    if (kind === 'secret' && entry !== undefined && entry.state !== 'absent') audit.read('watch', name, '', entry);
    const key = `${kind} ${id} ${name}`;
    const bytes = inFlight.board(key, this, () => this.#bytesOf(event));
    const land = () => {
      inFlight.land(key, this);
      this.#lands.delete(land);
    };
    this.#lands.add(land);
    return this.#write(bytes, land);
  }

  #bytesOf({ id, name, kind }: Event): Buffer {
    const { agent, answers } = this.#source;
    const entry = agent.secrets.entryOf(name);
    const head = `event: ${kind}\nid: ${agent.bootId}-${id}\ndata: `;
    if (kind === 'secret' && entry !== undefined && entry.state !== 'absent') {
      const whole = answers.whole(name, entry);
      return typeof whole === 'string'
        ? Buffer.from(`${head}${whole}\n`)
        : Buffer.concat([Buffer.from(head), whole, Buffer.from('\n')]);
    }
    const why = entry?.why;
    const state = { name, state: entry?.state, code: why?.code, reason: why?.seen };
    return Buffer.from(`${head}${JSON.stringify(state)}\n\n`);
  }

  /** False: the connection is gone. @param taken called when the system has taken all of it. */
  #write(text: string | Buffer, taken?: () => void): boolean {
    if (this.#response.destroyed) return false;
    if (!this.#response.write(text, taken)) {
      this.#callOffSlow = deadline(this.#source.agent.clock, SLOW_MS, () => this.#response.destroy());
    }
    return true;
  }
}
