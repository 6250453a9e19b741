import * as z from 'zod/mini';
import { fail } from '../../base/errors.ts';
import { type Status, statusSchema } from '../../deliver/api/status.ts';

/** The document of `GET /v1/status`. @throws PannierError AGENT_ANSWER when it is none. */
export function readStatus(text: string, place: string): Status {
  try {
    const read = z.safeParse(statusSchema, JSON.parse(text), { jitless: true });
    if (read.success) return read.data;
  } catch {
    // As below: not JSON.
  }
  throw fail('AGENT_ANSWER', place, 'the answer is no status of an agent');
}
