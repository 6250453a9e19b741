import { type Cut, cutIn } from './cut.ts';

const check = cutIn('src/certificate/check.ts');
const names = cutIn('src/certificate/names.ts');
const vault = cutIn('src/backend/vault/source/certificate.ts');
const watch = cutIn('src/backend/vault/source/certificate-watch.ts');
const stored = cutIn('src/backend/stored-certificate.ts');
const renewal = cutIn('src/lease/certificate-renewal.ts');
const schedule = cutIn('src/lease/schedule.ts');
const attempts = cutIn('src/lease/attempts.ts');
const kept = cutIn('src/deliver/file/kept.ts');
const wants = cutIn('src/agent/output/wants.ts');
const acme = cutIn('src/backend/acme/certificate.ts');
const book = cutIn('src/backend/acme/order-book.ts');
const accountKey = cutIn('src/backend/acme/account-key.ts');
const provable = cutIn('src/backend/acme/config/resolve-request.ts');
const pacing = cutIn('src/backend/pacing.ts');

export const CERTIFICATES: readonly Cut[] = [
  check('certificate-key', 'given.find((one) => one.checkPrivateKey(key))', 'given[0]'),
  check('certificate-ca', 'if (anchor === undefined)', 'if (anchor === null)'),
  check('certificate-ca', 'const onTheWay = [leaf, ...path];', 'const onTheWay = [leaf, ...path, ...rest];', {
    by: 'by a missing level',
  }),
  names('certificate-names', '!alternative.has(subject as string)', 'alternative.has(subject as string)'),
  check('certificate-now', 'if (endedMs >= 0)', 'if (endedMs >= 300_000)'),
  check('certificate-now', 'beginsInMs > clockSkewMs', 'beginsInMs > 2 * clockSkewMs'),
  check('certificate-chain-order', '[...chain.path, ...chain.rest]', '[...chain.rest, ...chain.path.toReversed()]'),
  stored('certificate-last-good', 'checked = checkCertificate(', 'checked = checkCertificate.bind(null, '),
  vault(
    'local-key',
    'csr: key === undefined ? undefined :',
    "csr: key === undefined ? undefined : keyPem(key, 'pkcs8') +",
  ),
  cutIn('src/certificate/request.ts')('local-key', '...uris.map(', '...[].map('),
  cutIn('src/backend/vault/source/certificate-refusal.ts')('refusal-in-words', "words === ''", "words !== ''"),
  cutIn('src/backend/vault/source/certificate-refusal.ts')('refusal-in-words', ".replace(TOKEN_LIKE, '…')", '', {
    by: 'without what may be a secret',
  }),
  cutIn('src/backend/vault/source/certificate-life.ts')(
    'short-life-told',
    'askedMs - givenMs <=',
    'askedMs - givenMs >=',
  ),
  renewal('renew-before', 'beforeMs ?? lifeMs', 'lifeMs'),
  renewal('renew-before', 'Math.max(startMs + lifeMs * EARLIEST_SHARE, wantedMs)', 'wantedMs', {
    by: 'in the first third',
  }),
  renewal('renew-at', 'const fromMs = Math.max(hours.fromMs, earliestMs);', 'const fromMs = earliestMs;'),
  renewal('renew-at', 'const LATEST_SHARE = 0.9;', 'const LATEST_SHARE = 5;', { by: 'overruled by the end' }),
  renewal('renew-at', 'hours.fromMs > latestMs', 'hours.fromMs < 0', { by: 'overruled by the end' }),
  schedule('renew-at', 'Math.max(atMonoMs, againMonoMs(input, now))', 'atMonoMs', { by: 'after a failure too' }),
  watch('replace-revoked', '?? 0) === 0)', '?? 0) !== 0)'),
  watch('replace-ca-changed', 'before.current !== current &&', 'before.current === current &&'),
  attempts('kept-over-restarts', 'item.fetchesBegun === 1 && lease', 'item.fetchesBegun === 0 && lease'),
  wants('kept-for-its-request', 'canonical(asked)', 'canonical({ ...asked, _ })'),
  vault(
    'kept-for-its-request',
    'names: namesOf(request),',
    "names: { ...namesOf(request), dns: [], commonName: '' },",
    {
      by: 'only while it is what is asked for',
    },
  ),
  kept('kept-key-is-published', 'if (!isFound && !isWritten) return [];', ''),
  kept(
    'kept-key-is-published',
    'digests.has(digest) || isPublished(fields, files)',
    'digest === digest || isPublished(fields, files)',
    {
      by: 'counts only while',
    },
  ),
  kept('kept-key-is-published', 'generations.map(digestOf)', 'certificates.map((one) => one.files)', {
    by: 'written in another form',
  }),
  kept('kept-key-is-published', '(mode & 0o077) !== 0', 'mode < 0', { by: 'does not count' }),
  stored('stored-certificate', ', stored: true }', ' }'),
  cutIn('src/agent/output/publisher.ts')(
    'rotation-under-load',
    'if (first && !output.reloadOnFirst)',
    'if (!output.reloadOnFirst)',
    { slow: true },
  ),
  cutIn('src/http/tls-files.ts')('own-pair', 'validToDate.getTime() > this.#clock.wallMs()', 'validToDate'),
  acme('acme-kept', 'names: namesOf(request),\n        nowMs', 'names: undefined,\n        nowMs'),
  book('acme-ordered-once', 'Buffer.from(`${FORMAT} ${id}`)', 'Buffer.from(FORMAT)', {
    by: 'belongs to another request',
  }),
  book('acme-orders-told', 'if (!this.#told) this.#warn(path, error);', ''),
  book('acme-orders-told', 'this.#told = false;', ''),
  book('acme-orders-forgotten', 'orders.certificate?.endsWallMs ?? 0', '0'),
  book('acme-orders-forgotten', 'if (!OWN_NAME.test(name)) continue;', '', { by: 'of its own' }),
  cutIn('src/agent/kept-certificates.ts')('acme-ordered-once', 'source.kept?.(want)', 'undefined'),
  pacing('acme-pace', 'failures > FREE_STARTS', 'false', { by: 'left alone after more than two' }),
  accountKey('acme-account-key', "emit({\n      kind: 'agent-warning',", "void ({\n      kind: 'agent-warning',"),
  cutIn('src/backend/acme/challenge/http01.ts')('acme-port', 'if (this.#proofs.size > 0) return;', 'return;'),
  cutIn('src/backend/acme/challenge/http01.ts')(
    'acme-port-open',
    "server.on('connection', (socket) => connections.open(socket));",
    'server.maxConnections = connections === undefined ? 1 : 64;',
  ),
  provable('acme-provable', "name.startsWith('*.') && dns01 === undefined", 'dns01 === null'),
  provable('acme-provable', 'isIP(name) !== 0 && http01 === undefined', 'http01 === null', { by: 'addresses without' }),
  provable('acme-provable', "=> backend.kind === 'acme';", '=> true;', { by: 'of another kind' }),
  cutIn('src/backend/acme/order.ts')('acme-records', 'await hide();', ''),
  cutIn('src/backend/acme/challenge/dns01.ts')('acme-records', 'await cleanUp(); //', '//', {
    by: 'fails, and has it',
  }),
  cutIn('src/backend/acme/client/problem.ts')('acme-words', "typeof detail === 'string' ? detail : ''", "''"),
  pacing('acme-pace', '(this.#pauses.get(id)?.failures ?? 0) + 1', '1'),
  pacing('acme-pace', 'Math.min(LONGEST_ASKED_MS, why.retryAfterMs ?? 0)', '0', { by: 'as far apart as' }),
  pacing('unfit-pace', 'within(BOUNDS.capMs, LATEST_SHARE)', 'BOUNDS.capMs', { by: 'its last tries' }),
  pacing('unfit-pace', 'urgencyOf(signal) === URGENCY.asked', 'false', { by: 'when a person asks or the request' }),
  pacing('unfit-pace', 'pause.judgedBy !== judgedBy', 'false', { by: 'or the CA file is mended' }),
  vault('unfit-pace', 'pacing.assertMayTry(asking);', ''),
  vault('unfit-pace', "['CERTIFICATE_UNFIT', 'BACKEND_MALFORMED']", "['SECRET_DENIED']"),
  schedule('acme-renewal-information', 'Math.min(life.replaceAtMs,', 'Math.min(Infinity,'),
  schedule('acme-renewal-information', ' && replaceAtMs > now.wallMs', '', { by: 'does not count' }),
];
