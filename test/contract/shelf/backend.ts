import type { Backend, Source } from '../../../src/backend/backend.ts';
import { fail } from '../../../src/base/errors.ts';
import { parseJson } from '../../../src/base/json.ts';
import { Secret } from '../../../src/base/secret.ts';
import { equalValues, type Fields, isFields } from '../../../src/base/value.ts';
import type { WireAnswer } from '../../../src/http/exchange.ts';
import { ShelfClient, type ShelfContext } from './client.ts';
import type { ShelfConfig, ShelfRequest } from './config.ts';

/** Makes a backend of a shelf. Its secrets have no leases, so they are polled. */
export function createShelfBackend(config: ShelfConfig, context: ShelfContext): Backend {
  const client = new ShelfClient(config, context);
  return {
    name: config.name,
    where: config.address,
    source: createShelfSource(client),
    identity: JSON.stringify(['shelf', config.address]),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

function createShelfSource(client: ShelfClient): Source {
  const life = { kind: 'none' } as const;
  return {
    async fetch({ request, place }, last, signal) {
      const { book } = request as ShelfRequest;
      if (last !== undefined) {
        const { headers } = await client.ask('HEAD', book, place, signal);
        if (headers['etag'] === last.version) return { state: 'unchanged', life };
      }
      const answer = await client.ask('GET', book, place, signal);
      const version = answer.headers['etag'];
      if (version === undefined) throw fail('BACKEND_MALFORMED', place, 'the answer has no ETag');
      const fields = fieldsOf(answer, place);
      if (last?.version === version && equalValues(last.fields, fields)) return { state: 'unchanged', life };
      return { state: 'changed', value: { fields, version, life } };
    },
  };
}

/** The members of a JSON object become the fields; any other content is the one field `value`. */
function fieldsOf({ headers, body }: WireAnswer, place: string): Fields {
  if (headers['content-type'] !== 'application/json') return new Map([['value', Secret.bytes(body)]]);
  const parsed = tryParseJson(body);
  if (!isFields(parsed)) throw fail('BACKEND_MALFORMED', place, 'the answer is not a JSON object');
  return parsed;
}

/** Returns undefined when the body is not JSON. */
function tryParseJson(body: Uint8Array) {
  try {
    return parseJson(Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}
