import * as z from 'zod/mini';
import { fail } from '../../base/errors.ts';
import { type Status, statusSchema } from '../../deliver/api/status.ts';

/** The document of `GET /v1/status`. @throws PannierError AGENT_ANSWER when the text is not such a document. */
export function readStatus(text: string, place: string): Status {
  try {
    const read = z.safeParse(statusSchema, JSON.parse(text), { jitless: true });
    if (read.success) return read.data;
  } catch {
    // The text is not JSON: the error below says so.
  }
  throw fail('AGENT_ANSWER', place, 'the answer is not the status of an agent');
}
