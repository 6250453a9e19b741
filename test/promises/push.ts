import { held, inFile, type Section } from './promise.ts';

const change = inFile('test/feed/change.test.ts', 'readLine');
const marks = inFile('test/feed/marks.test.ts', 'what a secret hears of');
const tail = inFile('test/feed/file-tail.test.ts', 'FileTail');
const log = inFile('test/feed/audit-log.test.ts', 'AuditLog');
const feed = inFile('test/feed/relay-feed.test.ts', 'RelayFeed');
const covered = inFile('test/lease/covered.test.ts', 'a secret whose changes are told');
const watchers = inFile('test/relay/watchers.test.ts', 'Watchers');
const server = inFile('test/relay/server.test.ts', 'RelayServer');
const silent = inFile(
  'test/relay/server.test.ts',
  'RelayServer while silent clients hold as many connections as it has',
);
const push = inFile('test/system/push.test.ts', 'push on OpenBao');
const canary = inFile('test/system/canary-push.test.ts', 'no value comes out with the feed of changes');

export const pushing: Section = {
  name: 'Push instead of polling',
  promises: [
    held(
      'push-reads-at-once',
      'A KV secret is read at once when the audit log says that it was written, and polled rarely otherwise.',
      covered('is read once within half a minute, for what changed before, and then polled rarely'),
      marks('is each write to %s of KV version 2', 'data'),
      push('reads a secret at once when the audit log on this machine says that it was written'),
    ),
    held(
      'push-mints-nothing',
      'A write in the log makes no new credential.',
      covered('is fetched when it is written, but not when that would make something new'),
    ),
    held(
      'push-proves-the-log',
      'Polls become rare only while the log shows requests of our own; otherwise `refresh` counts.',
      log('is not live while the server writes elsewhere, and is when it writes there again'),
      covered('is polled at its refresh once changes may go untold, within one interval'),
      push('polls at refresh while the log is not that of the server, and says so'),
    ),
    held(
      'push-misses-nothing',
      'No change is missed when the log is rotated, or when a relay ends and comes back.',
      tail('goes on over a rotation by rename, before and after the server has opened the new file'),
      tail('finds out that a file was cut although it is as long as before'),
      feed('covers anew after a relay was started again, since changes may have been missed'),
      feed('goes on after a lost connection when nothing was missed, and hears what happened meanwhile'),
      watchers('does not say that nothing was missed when that is not known'),
      push('misses no change when the log is rotated and when the relay ends and comes back'),
    ),
    held(
      'push-all-nodes',
      'With several relays polls become rare only while all are there and one is beside the active node.',
      feed('is up only while all relays are there, and one is beside the active node'),
    ),
    held(
      'relay-names-nothing',
      'A relay tells an agent which of its own paths were written, and no path, value, hash or accessor.',
      watchers('tells each agent the numbers of its own topics, in one line a turn'),
      change('takes %s for no change'),
      canary('of the relay and of its agent, though the log holds values, with every debug switch on'),
    ),
    held(
      'relay-knows-agents',
      'A relay tells nothing to whom it does not know, by token or by certificate.',
      server('refuses a wrong token, and what is no list of topics'),
      server('takes certificates of its own authority alone, and shows a new pair to new connections'),
    ),
    held(
      'relay-is-bounded',
      'An agent that does not read what it is told is dropped, and what agents ask for is bounded.',
      watchers('drops an agent that does not read, and no other'),
      server('drops an agent that reads nothing, and keeps little for it'),
      watchers('takes no more marks than it has room for, and has room again when an agent leaves'),
    ),
    held(
      'relay-stays-open',
      'Slow or silent clients keep no agent out of a relay, and end no subscription.',
      silent('gives agents their subscriptions, and leaves those that they have'),
      silent('closes no connection of another address for them'),
      push('gives an agent its subscription while more silent connections come than it has'),
    ),
  ],
};
