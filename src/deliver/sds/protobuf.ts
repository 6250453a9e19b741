/**
 * Writing and reading of protobuf, as far as the discovery protocol needs it: length-delimited fields and varints.
 * https://protobuf.dev/programming-guides/encoding/
 */

/** The kind of a field on the wire, the low three bits of its tag. */
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** One field: its number and its bytes. */
type Part = Uint8Array;

/** A message that is built field by field. An empty text, list or number is left out, as proto3 does. */
export class Message {
  readonly #parts: Part[] = [];

  text(field: number, value: string): this {
    return value === '' ? this : this.bytes(field, Buffer.from(value, 'utf8'));
  }

  texts(field: number, values: Iterable<string>): this {
    for (const value of values) this.bytes(field, Buffer.from(value, 'utf8'));
    return this;
  }

  number(field: number, value: number): this {
    if (value !== 0) this.#parts.push(varint(field * 8 + VARINT), varint(value));
    return this;
  }

  /** Writes the field also when it is empty: a member of a `oneof` counts by being there. */
  bytes(field: number, value: Uint8Array): this {
    this.#parts.push(varint(field * 8 + DELIMITED), varint(value.length), value);
    return this;
  }

  message(field: number, value: Message | undefined): this {
    return value === undefined ? this : this.bytes(field, value.encode());
  }

  messages(field: number, values: Iterable<Message>): this {
    for (const value of values) this.message(field, value);
    return this;
  }

  /** A `map<string, …>`: each entry is a message of a key (1) and a value (2). */
  map(field: number, entries: Iterable<readonly [string, Message]>): this {
    for (const [key, value] of entries) this.message(field, new Message().text(1, key).message(2, value));
    return this;
  }

  encode(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** Thrown by `readFields` for bytes that are no message. */
export class MalformedMessage extends Error {
  constructor() {
    super('the message is malformed');
  }
}

/** The fields of a message by number. */
export class ReadMessage {
  readonly #delimited = new Map<number, Uint8Array[]>();
  readonly #numbers = new Map<number, number>();

  /**
   * Reads the fields; those of a kind that the protocol does not use are passed over.
   * @throws MalformedMessage when the bytes end in the middle of a field, or are no message.
   */
  constructor(bytes: Uint8Array) {
    let at = 0;
    const readVarint = (): number => {
      let value = 0;
      for (let digit = 0; digit < 10; digit++) {
        const byte = bytes[at++];
        if (byte === undefined) throw new MalformedMessage();
        value += (byte & 0x7f) * 128 ** digit;
        if (byte < 0x80) return value;
      }
      throw new MalformedMessage();
    };
    const take = (length: number): Uint8Array => {
      if (length > bytes.length - at) throw new MalformedMessage();
      at += length;
      return bytes.subarray(at - length, at);
    };
    while (at < bytes.length) {
      const tag = readVarint();
      const field = Math.floor(tag / 8);
      if (field === 0) throw new MalformedMessage();
      switch (tag % 8) {
        case VARINT:
          this.#numbers.set(field, readVarint());
          break;
        case FIXED64:
          take(8);
          break;
        case FIXED32:
          take(4);
          break;
        case DELIMITED: {
          const values = this.#delimited.get(field);
          const value = take(readVarint());
          if (values === undefined) this.#delimited.set(field, [value]);
          else values.push(value);
          break;
        }
        default: // groups, which proto3 does not have
          throw new MalformedMessage();
      }
    }
  }

  /** The last value of the field, as proto3 wants it; empty when there is none. */
  text(field: number): string {
    const value = this.#delimited.get(field)?.at(-1);
    return value === undefined ? '' : textOf(value);
  }

  texts(field: number): readonly string[] {
    return (this.#delimited.get(field) ?? []).map(textOf);
  }

  number(field: number): number {
    return this.#numbers.get(field) ?? 0;
  }

  /** @throws MalformedMessage */
  message(field: number): ReadMessage | undefined {
    const value = this.#delimited.get(field)?.at(-1);
    return value === undefined ? undefined : new ReadMessage(value);
  }

  /** @throws MalformedMessage */
  messages(field: number): readonly ReadMessage[] {
    return (this.#delimited.get(field) ?? []).map((value) => new ReadMessage(value));
  }
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
