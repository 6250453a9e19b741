import * as fc from 'fast-check';
import { readLine } from '../../../src/feed/change.ts';
import { kvForms, Topics } from '../../../src/feed/marks.ts';
import { parseRelayLine, parseRelayRequest } from '../../../src/feed/relay-protocol.ts';
import { type Watcher, Watchers } from '../../../src/relay/watchers.ts';
import { type Border, CANARY } from '../border.ts';

const path = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc
    .array(fc.constantFrom('secret', 'data', 'metadata', 'destroy', 'sys', 'mounts', 'policies', 'acl', 'a', ''), {
      maxLength: 8,
    })
    .map((parts) => parts.join('/')),
);

const any = fc.oneof(fc.jsonValue(), fc.constant(CANARY), path);

const entry = fc
  .record(
    {
      time: any,
      type: fc.oneof(fc.constantFrom('request', 'response'), any),
      error: any,
      auth: fc.constant({ client_token: CANARY }),
      request: fc.oneof(
        fc.record(
          {
            operation: fc.oneof(fc.constantFrom('create', 'update', 'patch', 'delete', 'read', 'list'), any),
            path: fc.oneof(path, any),
            namespace: fc.oneof(fc.record({ path }, { requiredKeys: [] }), any),
            data: fc.constant({ value: CANARY }),
          },
          { requiredKeys: [] },
        ),
        any,
      ),
    },
    { requiredKeys: [] },
  )
  .map((one) => JSON.stringify(one));

const asked = fc
  .record({ topics: fc.oneof(fc.array(fc.array(path, { maxLength: 4 }), { maxLength: 4 }), any), since: any })
  .map((one) => JSON.stringify(one));

/** Texts, some of which are cut in two. */
const text = fc
  .tuple(fc.oneof(entry, asked, fc.string({ maxLength: 80 })), fc.option(fc.nat({ max: 200 })))
  .map(([whole, at]) => (at === null ? whole : whole.slice(0, at)));

/** Lines of audit logs, what agents ask a relay, and what a relay says: what leaves must hold no value. */
export const changes: Border<string> = {
  name: 'lines of audit logs, and what agents and relays say',
  share: 5_000,
  async open() {
    return {
      inputs: text,
      async feed(input) {
        const said: unknown[] = [];
        const agent: Watcher = { send: (line) => said.push(line) > 0, close: () => {} };
        const watchers = new Watchers('boot');
        watchers.become({ live: true, role: 'active' });
        watchers.add(agent, { topics: [['secret/a'], ['secret/'], ...kvTopics(input)] });
        const line = readLine(input);
        if (typeof line !== 'string') {
          watchers.changed(line);
          new Topics<number>().of(line);
        }
        const request = parseRelayRequest(input);
        if (request !== undefined) watchers.add({ send: (told) => said.push(told) > 0, close: () => {} }, request);
        parseRelayLine(input);
        watchers.gap();
        await new Promise((resolve) => setImmediate(resolve));
        return said;
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};

const kvTopics = (input: string): readonly (readonly string[])[] => [kvForms(input.slice(0, 60)).slice(0, 60)];
