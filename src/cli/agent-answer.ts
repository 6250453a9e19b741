import { fail, failure, PannierError } from '../base/errors.ts';
import { JsonError, parseJson } from '../base/json.ts';
import { isFields, lookUp, plainText, type Value } from '../base/value.ts';
import { type LocalAnswer, type LocalPlace, nameOf } from '../http/local-api.ts';

/**
 * The error for an answer that is not 200, with the code, place, seen and hint that the agent sent; AGENT_ANSWER when
 * the answer holds no problem document.
 * @param asked what the user asked for. It becomes the place of a problem whose place is the request itself.
 */
export function refusedAnswer({ status, body }: LocalAnswer, where: LocalPlace, asked = nameOf(where)): PannierError {
  const problem = tryParse(body);
  const [code, place, seen, hint] = ['code', 'place', 'detail', 'hint'].map((key) => plainText(lookUp(problem, key)));
  if (code === undefined || seen === undefined) {
    return fail('AGENT_ANSWER', nameOf(where), `the answer has HTTP status ${status} and no reason`);
  }
  // A newer agent may send a code that this version does not know.
  const { retry } = failure('AGENT_ANSWER', '', '');
  return new PannierError({
    code: code as never,
    place: isRequestItself(place) ? asked : place,
    seen,
    hint: hint ?? '',
    retry,
  });
}

const isRequestItself = (place: string | undefined): place is undefined | 'request' =>
  place === undefined || place === 'request';

/** The JSON object of an answer. @throws PannierError AGENT_ANSWER when the answer is not one. */
export function parsedAnswer({ body }: LocalAnswer, where: LocalPlace): Value {
  const document = tryParse(body);
  if (!isFields(document)) throw fail('AGENT_ANSWER', nameOf(where), 'the answer is not a JSON object');
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
