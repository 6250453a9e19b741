import * as fc from 'fast-check';
import { refusedAnswer } from '../../../src/cli/agent-answer.ts';
import { readStatus } from '../../../src/cli/status/read-status.ts';
import { shownStatus, statesOf } from '../../../src/cli/status/shown-status.ts';
import type { Border } from '../border.ts';
import { damaged, nasty } from '../inputs.ts';

const text = fc.oneof(nasty, fc.constantFrom('2026-01-01T00:00:00Z', 'fresh', 'bao'));
const number = fc.oneof(fc.constantFrom(0, 1, -1, 1e300), fc.nat());
const failure = fc.record({ code: text, place: text, seen: text, hint: text });
const optional: { requiredKeys: never[] } = { requiredKeys: [] };

/** What the commands that ask an agent get from whatever listens at its socket: `status`, `get`, `rollback`. */
export const agentAnswers: Border<Buffer> = {
  name: 'answers of an agent to the command line',
  share: 9_000,
  async open() {
    const secret = fc
      .tuple(
        fc.record({
          name: text,
          backend: text,
          kind: text,
          optional: fc.boolean(),
          state: fc.constantFrom('fresh', 'stale', 'absent'),
        }),
        fc.record(
          { ageSeconds: number, endsAt: text, nextAt: text, version: text, failure, warning: failure, etag: text },
          optional,
        ),
      )
      .map(([one, more]) => ({ ...one, ...more }));
    const output = fc
      .tuple(
        fc.record({ name: text, dir: text, state: fc.constantFrom('published', 'waiting') }),
        fc.record({ generation: number, failure }, optional),
      )
      .map(([one, more]) => ({ ...one, ...more }));
    const status = fc.record({
      version: text,
      bootId: text,
      startedAt: text,
      now: text,
      configuration: fc.record({
        files: fc.array(text, { maxLength: 2 }),
        readAt: text,
        refused: fc.array(failure, { maxLength: 2 }),
      }),
      backends: fc.array(fc.record({ name: text, kind: text, where: text }), { maxLength: 2 }),
      secrets: fc.array(secret, { maxLength: 3 }),
      outputs: fc.array(output, { maxLength: 2 }),
    });
    const problem = fc.record({ code: text, place: text, detail: text, hint: text }, optional);
    const body = fc.oneof(status, problem).map((one) => JSON.stringify(one));
    return {
      inputs: fc.oneof(
        { weight: 4, arbitrary: body.map((one) => Buffer.from(one)) },
        { weight: 1, arbitrary: damaged(body) },
      ),
      async feed(bytes) {
        const where = { kind: 'unix', path: '/run/a.sock' } as const;
        const refused = refusedAnswer({ status: 500, body: bytes, headers: {} }, where);
        assertPrintable(refused.message);
        const read = readStatus(bytes.toString(), '/run/a.sock');
        statesOf(read);
        assertPrintable(shownStatus(read));
        return [];
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};

function assertPrintable(shown: string): void {
  if (/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(shown.replaceAll('\n', ''))) {
    throw new Error(`it could control a terminal: ${JSON.stringify(shown)}`);
  }
}
