import { fail, failure, PannierError } from '../base/errors.ts';
import { JsonError, parseJson } from '../base/json.ts';
import { isFields, lookUp, plainText, type Value } from '../base/value.ts';
import { type LocalAnswer, type LocalPlace, nameOf } from '../http/local-api.ts';

/**
 * The problem that the agent told, as an error of ours.
 * @param asked what the user asked for: the place of a problem that the agent found in the request as such.
 */
export function refusedAnswer({ status, body }: LocalAnswer, where: LocalPlace, asked = nameOf(where)): PannierError {
  const problem = tryParse(body);
  const [code, place, seen, hint] = ['code', 'place', 'detail', 'hint'].map((key) => plainText(lookUp(problem, key)));
  if (code === undefined || seen === undefined) {
    return fail('AGENT_ANSWER', nameOf(where), `HTTP ${status} without a reason`);
  }
  // The code may be one of a later version.
  const { retry } = failure('AGENT_ANSWER', '', '');
  return new PannierError({
    code: code as never,
    place: isRequest(place) ? asked : place,
    seen,
    hint: hint ?? '',
    retry,
  });
}

const isRequest = (place: string | undefined): place is undefined | 'request' =>
  place === undefined || place === 'request';

/** @throws PannierError AGENT_ANSWER when the answer is no map in JSON. */
export function parsedAnswer({ body }: LocalAnswer, where: LocalPlace): Value {
  const document = tryParse(body);
  if (!isFields(document)) throw fail('AGENT_ANSWER', nameOf(where), 'the answer is no JSON');
  return document;
}

function tryParse(body: Buffer): Value | undefined {
  try {
    return parseJson(body.toString());
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
