import { type Cut, cutIn } from './cut.ts';

const writer = cutIn('src/lease/item-writer.ts');
const deadlines = cutIn('src/lease/deadlines.ts');
const services = cutIn('src/backend/aws/auth/services.ts');
const outcome = cutIn('src/agent/output/outcome.ts');

const KEEPS = "if (entry === undefined || entry.state === 'absent') {\n      const isSame = entry?.why";
const LOSES = "if (entry?.state !== 'expired') {\n      const isSame = entry?.why?";

export const OUTAGE: readonly Cut[] = [
  cutIn('src/deliver/api/secret-reads.ts')('stale-header', "'Pannier-State': state,", "'Pannier-State': 'fresh',"),
  writer('values-stay-published', KEEPS, LOSES),
  writer('values-stay-published', KEEPS, LOSES, { by: 'the last good files stay' }),
  cutIn('src/lease/item.ts')(
    'stale-with-age',
    '{ ...entry, state, why, stateNumber }',
    '{ ...entry, state, why, stateNumber, fetchedWallMs: Date.now() }',
  ),
  deadlines('stale-with-age', 'OVERDUE_MS = 1_000', 'OVERDUE_MS = 60_000', { by: 'waits for a login' }),
  cutIn('src/base/backoff.ts')('recovery-spreads', 'bounds.floorMs + random() *', 'bounds.floorMs +'),
  cutIn('src/base/backoff.ts')('silent-server', 'return restMs > 0 ? Math.round(', 'return restMs > 1e9 ? Math.round('),
  cutIn('src/base/backoff.ts')(
    'silent-server',
    'Math.max(MIN_TRY_MS, restMs / 2)',
    'Math.max(MIN_TRY_MS, restMs / 4)',
    {
      by: 'takes its time',
    },
  ),
  cutIn('src/backend/vault/auth/login-keeper.ts')(
    'silent-server',
    'setUrgency(wake, URGENCY.ending, login.endsMonoMs);',
    '',
    { by: 'in time' },
  ),
  deadlines('max-stale', 'now.monoMs + entry.fetchedWallMs + maxStaleMs - now.wallMs', 'maxStaleMs * 1e9'),
  outcome('init-tells-why', '`${why.seen}, backend ${backend}`', 'why.seen'),
  cutIn('src/backend/vault/client/status.ts')(
    'init-tells-why',
    '`HTTP ${status} from ${address}${',
    '`HTTP ${status}${',
  ),
  cutIn('src/observe/health.ts')(
    'readyz',
    "else if (entry.state === 'expired') problems.push",
    "else if (entry.state === 'expired') warnings.push",
  ),
  services(
    'aws-credential-service',
    "if (code === 'BACKEND_UNREACHABLE' || code === 'BACKEND_TIMEOUT')",
    "if (code === 'BACKEND_TIMEOUT')",
  ),
  services('aws-credential-service', 'if (status >= 500 ||', 'if (status >= 599 ||', { by: 'answers 503' }),
  cutIn('src/backend/aws/auth/shared-keys.ts')(
    'aws-credential-service',
    'if (source !== undefined) return await explainSource(source, last, deps, place);',
    '',
    { by: 'that a profile names' },
  ),
  cutIn('src/deliver/api/aws-errors.ts')('aws-agent-errors', '__type: type', 'type'),
  cutIn('src/deliver/api/aws-errors.ts')('aws-agent-errors', 'SECRET_DENIED: DENIED,', '', { by: 'SECRET_DENIED' }),
  cutIn('src/deliver/http/routes.ts')('aws-agent-errors', 'one.noHead !== true ||', 'true ||', { by: 'HEAD' }),
  outcome(
    'init-tells-why',
    "if (secret !== undefined && !why.place.startsWith('secrets.')) known.waiting.add(secret);",
    '',
    { by: 'wait for a login' },
  ),
  cutIn('src/agent/pipeline.ts')('init-tells-why', '` from ${backend.where}, backend ${backend.name}`', "''", {
    by: 'never answered',
  }),
  cutIn('src/backend/vault/client/status.ts')(
    'rejection-tells-why',
    'reason ?? knownPhrase(texts)',
    'knownPhrase(texts)',
  ),
  cutIn('src/backend/vault/client/rejection-reasons.ts')(
    'rejection-tells-why',
    'shown.replace(',
    'text || shown.replace(',
    {
      by: 'is shown as',
    },
  ),
  cutIn('src/config/problems/all-problems.ts')('wrong-name-is-told', 'thereIsNo(what, name, near)', 'withoutName'),
  cutIn('src/render/formats/keys.ts')('wrong-name-is-told', 'listed(all)', 'all[0]', { by: 'up to ten' }),
  cutIn('src/render/template/evaluate.ts')('wrong-name-is-told', '`${seen}${named}`', 'seen', { by: 'names it' }),
  cutIn('src/backend/aws/client/error.ts')('wrong-name-is-told', '` of ${of}`', "''", { by: 'a failure names' }),
  cutIn('src/config/problems/positions.ts')(
    'config-positions',
    'if (offset !== undefined) return',
    'if (offset === 0) return',
  ),
  cutIn('src/config/check/rest-of-entry.ts')(
    'config-all-at-once',
    'seenByOthers.every((keys) => keys.has(keyOf(problem)))',
    'problem === undefined',
  ),
  cutIn('src/config/check/rest-of-entry.ts')(
    'config-all-at-once',
    'const [first, ...others] = tries;',
    'const [first] = tries; const others: typeof tries = [];',
    { by: 'a bad onChange' },
  ),
  cutIn('src/cli/terminal/progress.ts')('progress-on-terminals', "    this.#line.show('');\n", '', {
    by: 'counts seconds in place',
  }),
  cutIn('src/deliver/api/audit.ts')('audit-bounded', 'const MAX_ACTED = 10;', 'const MAX_ACTED = 1e6;'),
  cutIn('src/deliver/api/audit.ts')('audit-bounded', 'counted.count++;', '', { by: 'of mode all' }),
  cutIn('src/base/read-file.ts')('reads-in-time', 'constants.O_RDONLY | constants.O_NONBLOCK', 'constants.O_RDONLY'),
  cutIn('src/base/file-call.ts')('reads-in-time', 'if (hungPaths.has(path) || ', 'if (', { by: 'a read ends in time' }),
  cutIn('src/cli/end-process.ts')(
    'stop-in-five-seconds',
    '  if (hasPoolCalls()) {',
    '  if (hasPoolCalls() && status < 0) {',
    {
      slow: true,
    },
  ),
];
