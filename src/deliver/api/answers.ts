import { type Fields, isFields, isSecret, type Value } from '../../base/value.ts';
import type { HeldValue } from '../../lease/snapshot.ts';
import { writeJson } from '../../render/text/json.ts';

/** A field as it is sent; see `sendable`. */
export interface FieldBody {
  readonly type: 'application/octet-stream' | 'application/json';
  readonly body: string | Uint8Array;
}

/** A text of more characters is kept as bytes. */
const MAX_TEXT_LENGTH = 16 * 1024;

/**
 * A body as it is kept. A short one is text: Node sends it with the head in one write, which is half of what an answer
 * costs. A long one is bytes, which all that read it at once share; of a text each slow reader would get a copy.
 */
const sendable = (text: string): string | Uint8Array => (text.length > MAX_TEXT_LENGTH ? Buffer.from(text) : text);

interface Made {
  readonly whole: Map<string, string | Uint8Array>;
  readonly fields: Map<string, FieldBody>;
}

/** Values as they leave. Made once for each value, at its first read, and kept as long as the value is. */
export class AnswerCache {
  readonly #made = new WeakMap<Fields, Made>();

  /**
   * `{"name":…,"version":…,"fields":{…}}`. Numbers keep their source text. Bytes that are not UTF-8 are base64, and
   * then `base64` lists where, as JSON Pointers (RFC 6901) into `fields`.
   */
  whole(name: string, { value }: HeldValue): string | Uint8Array {
    const { whole } = this.#madeOf(value.fields);
    const known = whole.get(name);
    if (known !== undefined) return known;
    const { version, fields } = value;
    const base64 = [...bytesIn(fields, '')];
    const list = base64.length === 0 ? '' : `,"base64":${JSON.stringify(base64)}`;
    const head = `{"name":${JSON.stringify(name)},"version":${JSON.stringify(version)}`;
    const made = sendable(`${head},"fields":${writeJson(fields, 0, 'api')}${list}}\n`);
    whole.set(name, made);
    return made;
  }

  /** A leaf's exact bytes, or a list or map as JSON; undefined when there is no such field. */
  field({ value }: HeldValue, field: string): FieldBody | undefined {
    const { fields } = this.#madeOf(value.fields);
    const known = fields.get(field);
    if (known !== undefined) return known;
    const found = value.fields.get(field);
    if (found === undefined) return undefined;
    const made: FieldBody = isSecret(found)
      ? {
          type: 'application/octet-stream',
          body: found.type === 'bytes' ? found.exposeBytes('api') : sendable(found.exposeText('api')),
        }
      : { type: 'application/json', body: sendable(writeJson(found, 0, 'api')) };
    fields.set(field, made);
    return made;
  }

  #madeOf(fields: Fields): Made {
    const known = this.#made.get(fields);
    if (known !== undefined) return known;
    const made = { whole: new Map<string, string>(), fields: new Map<string, FieldBody>() };
    this.#made.set(fields, made);
    return made;
  }
}

function* bytesIn(value: Value, at: string): Generator<string> {
  if (isSecret(value)) {
    if (value.type === 'bytes') yield at;
    return;
  }
  const entries: Iterable<[string | number, Value]> = isFields(value) ? value : value.entries();
  for (const [step, below] of entries) {
    yield* bytesIn(below, `${at}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
}
