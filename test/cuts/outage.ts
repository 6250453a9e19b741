import { type Cut, cutIn } from './cut.ts';

const writer = cutIn('src/lease/item-writer.ts');
const deadlines = cutIn('src/lease/deadlines.ts');
const outcome = cutIn('src/agent/outcome.ts');

const KEEPS = "if (entry === undefined || entry.state === 'absent') {\n      const isSame = entry?.why";
const LOSES = "if (entry?.state !== 'expired') {\n      const isSame = entry?.why?";

export const OUTAGE: readonly Cut[] = [
  cutIn('src/deliver/api/secret-reads.ts')('stale-header', "'Pannier-State': state,", "'Pannier-State': 'fresh',"),
  writer('values-stay-published', KEEPS, LOSES),
  writer('values-stay-published', KEEPS, LOSES, { by: 'the last good files stay' }),
  cutIn('src/lease/item.ts')(
    'stale-with-age',
    'state, value, fetchedWallMs, why',
    'state, value, fetchedWallMs: Date.now(), why',
  ),
  deadlines('stale-with-age', 'OVERDUE_MS = 1_000', 'OVERDUE_MS = 60_000', { by: 'waits for a login' }),
  cutIn('src/base/backoff.ts')('recovery-spreads', 'bounds.floorMs + random() *', 'bounds.floorMs +'),
  deadlines('max-stale', 'now.monoMs + entry.fetchedWallMs + maxStaleMs - now.wallMs', 'maxStaleMs * 1e9'),
  outcome('init-tells-why', '`${why.seen}, backend ${backend}`', 'why.seen'),
  cutIn('src/client/vault-status.ts')('init-tells-why', '`HTTP ${status} from ${address}${', '`HTTP ${status}${'),
  cutIn('src/observe/health.ts')(
    'readyz',
    "else if (entry.state === 'expired') problems.push",
    "else if (entry.state === 'expired') warnings.push",
  ),
  outcome(
    'init-tells-why',
    "if (secret !== undefined && !why.place.startsWith('secrets.')) one.waiting.add(secret);",
    '',
    { by: 'wait for a login' },
  ),
  cutIn('src/base/read-file.ts')('reads-in-time', 'constants.O_RDONLY | constants.O_NONBLOCK', 'constants.O_RDONLY'),
  cutIn('src/base/file-call.ts')('reads-in-time', 'if (hungPaths.has(path) || ', 'if (', { by: 'a read ends in time' }),
  cutIn('src/cli/end-process.ts')('stop-in-five-seconds', '  if (isInPool()) {', '  if (isInPool() && status < 0) {', {
    slow: true,
  }),
];
