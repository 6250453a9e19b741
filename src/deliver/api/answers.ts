import { type Fields, isFields, isSecret, type Value } from '../../base/value.ts';
import type { HeldValue } from '../../lease/snapshot.ts';
import { writeJson } from '../../render/text/json.ts';

/** The body of an answer with one field, as `sendable` makes it. */
export interface FieldBody {
  readonly type: 'application/octet-stream' | 'application/json';
  readonly body: string | Uint8Array;
}

/** A text with more characters than this is kept as bytes. */
const MAX_TEXT_LENGTH = 16 * 1024;

/**
 * The form in which a body is kept. A short one is text: Node sends it with the head in one write, which halves the
 * cost of an answer. A long one is bytes, which all its readers share; each slow reader of a text would get a copy.
 */
const sendable = (text: string): string | Uint8Array => (text.length > MAX_TEXT_LENGTH ? Buffer.from(text) : text);

/** The bodies that were made of one value. */
interface Bodies {
  /** Bodies with all fields, by the name of the secret. */
  readonly whole: Map<string, string | Uint8Array>;
  /** Bodies with one field, by its name. */
  readonly fields: Map<string, FieldBody>;
}

/** The bodies of answers. Each is made once for a value, when it is first read, and kept as long as the value is. */
export class AnswerCache {
  readonly #bodies = new WeakMap<Fields, Bodies>();

  /**
   * All fields as `{"name":…,"version":…,"fields":{…}}`. Numbers keep their source text. Bytes that are not UTF-8 are
   * base64; `base64` then lists their places, as JSON Pointers (RFC 6901) into `fields`.
   */
  whole(name: string, { value }: HeldValue): string | Uint8Array {
    const { whole } = this.#bodiesOf(value.fields);
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

  /** One field: the exact bytes of a single value, or a list or map as JSON; undefined when there is no such field. */
  field({ value }: HeldValue, field: string): FieldBody | undefined {
    const { fields } = this.#bodiesOf(value.fields);
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

  #bodiesOf(fields: Fields): Bodies {
    const known = this.#bodies.get(fields);
    if (known !== undefined) return known;
    const bodies = { whole: new Map<string, string>(), fields: new Map<string, FieldBody>() };
    this.#bodies.set(fields, bodies);
    return bodies;
  }
}

/** The JSON Pointers of all bytes in a value. */
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
