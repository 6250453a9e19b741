import type { ServerResponse } from 'node:http';
import { deadline } from '../../base/deadline.ts';
import type { AnswerCache } from './answers.ts';
import type { ApiAgent } from './api-agent.ts';
import type { Audit } from './audit.ts';
import type { EventsInFlight, Receiver } from './in-flight.ts';

/** What a watcher needs to make and send events. */
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

/** A client that takes nothing for so long is cut off. */
const SLOW_MS = 30_000;

/**
 * One client that watches some secrets.
 *
 * It gets states, not history: of a change while the connection takes no more only the secret's name is kept, and when
 * the connection drains the client gets what those secrets are then. So a slow reader costs a set of names and the
 * event that it has not taken, whose bytes all readers share, never a queue of values. Events go out in the order of
 * their numbers, so everything up to the last id has been sent, and an id is all that a client must remember to resume.
 */
export class Watcher implements Receiver {
  /** The names of the watched secrets; undefined: all that the listener shows. */
  readonly names: ReadonlySet<string> | undefined;
  onClose: () => void = () => {};
  readonly #response: ServerResponse;
  #source: EventSource;
  /** Number of the last event sent. */
  #sent: number;
  readonly #pending = new Set<string>();
  #cancelSlow: (() => void) | undefined;
  /** Functions that release the events whose bytes the connection has not taken yet. */
  readonly #releases = new Set<() => void>();

  /** @param after the number of the last event that the client knows; 0: none. */
  constructor(response: ServerResponse, source: EventSource, names: ReadonlySet<string> | undefined, after: number) {
    this.#response = response;
    this.#source = source;
    this.names = names;
    this.#sent = after;
    response.on('drain', () => {
      if (response.writableEnded) return;
      this.#cancelSlow?.();
      this.#cancelSlow = undefined;
      this.#flush();
    });
    response.once('close', () => {
      this.#cancelSlow?.();
      for (const release of this.#releases) release();
      this.onClose();
    });
  }

  /** Makes further events of another service, which has taken this watcher over. */
  moveTo(source: EventSource): void {
    this.#source = source;
  }

  changed(names: Iterable<string>): void {
    for (const name of names) this.#pending.add(name);
    this.#flush();
  }

  beat(): void {
    if (this.#cancelSlow === undefined) this.#write(':\n\n');
  }

  /** Closes the connection, because the listener holds too many bytes for its readers. */
  cutOff(): void {
    this.#response.destroy();
  }

  /** Ends the stream with an event. @param reason a sentence for the client. */
  end(reason: string): void {
    const { socket } = this.#response;
    this.#response.once('finish', () => socket?.destroySoon());
    this.#cancelSlow ??= deadline(this.#source.agent.clock, SLOW_MS, () => this.#response.destroy());
    this.#response.end(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
    this.onClose();
  }

  #flush(): void {
    if (this.#cancelSlow !== undefined || this.#response.writableEnded) return;
    const events = [...this.#pending].flatMap((name) => this.#eventsOf(name)).sort((a, b) => a.id - b.id);
    this.#pending.clear();
    for (const event of events) {
      if (this.#cancelSlow !== undefined) this.#pending.add(event.name);
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
    // A new value counts as fresh unless an event says otherwise.
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
    const bytes = inFlight.hold(key, this, () => this.#bytesOf(event));
    const release = () => {
      inFlight.release(key, this);
      this.#releases.delete(release);
    };
    this.#releases.add(release);
    return this.#write(bytes, release);
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
      this.#cancelSlow = deadline(this.#source.agent.clock, SLOW_MS, () => this.#response.destroy());
    }
    return true;
  }
}
