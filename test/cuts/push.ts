import { type Cut, cutIn } from './cut.ts';

const deadlines = cutIn('src/lease/deadlines.ts');
const tail = cutIn('src/feed/file-tail.ts');
const relayFeed = cutIn('src/feed/relay-feed.ts');
const watchers = cutIn('src/relay/watchers.ts');
const server = cutIn('src/relay/server.ts');

export const PUSH: readonly Cut[] = [
  deadlines('push-reads-at-once', 'failures === 0 && item.mustCatchUp && this.#polls ?', 'failures < 0 ?'),
  cutIn('src/feed/marks.ts')('push-reads-at-once', 'data|metadata|', 'metadata|', { by: 'each write' }),
  cutIn('src/lease/watches.ts')('push-mints-nothing', 'item.isGone || !isPolled(item) ||', 'item.isGone ||'),
  cutIn('src/feed/audit-log.ts')('push-proves-the-log', 'return isSeen;', 'return true;'),
  tail(
    'push-misses-nothing',
    'if (before !== undefined) before.leftMonoMs = this.#clock.monoMs();',
    'this.#files.splice(0);',
    { by: 'rotation by rename' },
  ),
  tail('push-misses-nothing', ' || !bytes.subarray(0, overlap).equals(this.#before)', '', { by: 'as long as before' }),
  relayFeed('push-misses-nothing', "if (hasMissed) this.#down('changes may have been missed');", '', {
    by: 'started again',
  }),
  watchers('push-misses-nothing', 'if (from < oldest - 1) return undefined;', '', { by: 'when that is not known' }),
  relayFeed('push-all-nodes', "role === 'active'", "role !== 'active'"),
  watchers('relay-names-nothing', 'gathered[how].add(number);', 'gathered.changed.add(number + 1);'),
  server('relay-knows-agents', "token !== '' && (await accepts(token))", "token !== ''"),
  server('relay-knows-agents', '.authorized !== true', '.encrypted !== true', { by: 'certificates' }),
  watchers('relay-is-bounded', 'this.#drop(watcher);\n  }\n\n  #drop', '}\n\n  #drop'),
  server('relay-is-bounded', 'response.destroyed || response.writableLength > MAX_UNREAD_BYTES', 'response.destroyed', {
    by: 'reads nothing',
  }),
  cutIn('src/http/serving/connections.ts')('relay-stays-open', "oldest('new') ?? oldest('idle') ?? fresh", 'fresh', {
    by: 'gives agents',
  }),
  server('relay-stays-open', "this.#connections.enter('known', socket);", '', { by: 'gives agents' }),
  cutIn('src/http/serving/connections.ts')('relay-stays-open', 'one.address === address && ', '', {
    by: 'of another address',
  }),
];
