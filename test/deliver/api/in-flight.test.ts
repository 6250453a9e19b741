import { describe, expect, it } from 'vitest';
import { EventsInFlight, type Receiver } from '../../../src/deliver/api/in-flight.ts';

function receiver(name: string, cut: string[] = []): Receiver {
  return { cutOff: () => void cut.push(name) };
}
const of = (bytes: number) => () => Buffer.alloc(bytes);

describe('the events in flight of a listener', () => {
  it('are made once for all readers, and released with the last', () => {
    const events = new EventsInFlight();
    const [a, b] = [receiver('a'), receiver('b')];
    const first = events.hold('1', a, of(100));
    expect(
      events.hold('1', b, () => {
        throw new Error('made twice');
      }),
    ).toBe(first);
    expect(events.bytes).toBe(100);
    events.release('1', a);
    events.release('1', a);
    expect(events.bytes).toBe(100);
    events.release('1', b);
    expect(events.bytes).toBe(0);
    expect(events.hold('1', a, of(100))).not.toBe(first);
  });

  it('are bounded together: the readers of the oldest are cut off, and a single event may be larger', () => {
    const cut: string[] = [];
    const events = new EventsInFlight(1_000);
    const readers = ['a', 'b', 'c', 'd'].map((name) => receiver(name, cut));
    const [a, b, c, d] = readers as [Receiver, Receiver, Receiver, Receiver];
    events.hold('1', a, of(400));
    events.hold('1', b, of(400));
    events.hold('2', c, of(400));
    expect(cut).toEqual([]);
    events.hold('3', d, of(400));
    expect([cut, events.bytes]).toEqual([['a', 'b'], 800]);
    events.release('1', a);
    expect(events.bytes).toBe(800);
    events.hold('4', a, of(5_000));
    expect([cut, events.bytes]).toEqual([['a', 'b', 'c', 'd'], 5_000]);
  });
});
