import { held, inFile, type Section } from './promise.ts';

const schedule = inFile('test/lease/schedule.test.ts', 'the schedule');
const manager = inFile('test/lease/manager.test.ts', 'the lease manager');
const timing = inFile('test/lease/timing.test.ts', 'the moment of an attempt');
const outage = inFile('test/lease/outage.test.ts', 'while a backend is down');
const jumps = inFile('test/lease/clock-jump.test.ts', 'the clocks');
const queue = inFile('test/lease/deadline-queue.test.ts', 'the deadline queue');
const loop = inFile('test/agent/output/loop.test.ts', 'an output');
const pipeline = inFile('test/agent/pipeline.test.ts', 'the pipeline');
const kv2 = inFile('test/backend/vault/source/kv.test.ts', 'KV version 2');
const kv1 = inFile('test/backend/vault/source/kv.test.ts', 'KV version 1');
const read = inFile('test/backend/vault/source/vault.test.ts', 'the life of a read');
const aRead = inFile('test/backend/vault/source/vault.test.ts', 'a read');
const anEnd = inFile('test/backend/vault/source/vault.test.ts', 'an end that an answer states');
const realEnd = inFile('test/backend/vault/source/openbao.test.ts', 'an end that an answer of a real OpenBao states');
const real = inFile('test/system/freshness.test.ts', 'on a real OpenBao');
const realKv = inFile('test/backend/vault/source/openbao.test.ts', 'KV of a real OpenBao');
const realLease = inFile('test/backend/vault/source/openbao.test.ts', 'a leased secret');
const realSession = inFile('test/backend/vault/auth/openbao.test.ts', 'against OpenBao a session');
const renewals = 'test/backend/vault/auth/session-renewal.test.ts';
const deaths = 'test/backend/vault/auth/session-death.test.ts';
const answer = inFile('test/backend/vault/source/vault.test.ts', 'a read');
const cachedLogin = inFile(renewals, 'a login that a cache on the way answers');
const jwtLogin = inFile(renewals, 'a login by a JWT that the server checks again at each renewal');
const kubernetes = inFile('test/backend/vault/auth/methods.test.ts', 'the kubernetes login');
const kept = inFile('test/http/transport-faults.test.ts', 'a kept-alive connection');
const watched = inFile('test/base/file-watch.test.ts', 'a watched directory');
const dotenv = inFile('test/backend/file/dotenv.test.ts', 'a dotenv file');
const backoff = inFile('test/base/time.test.ts', 'backoff');
const mainJob = inFile('test/system/main-job.test.ts', 'the main job on a real OpenBao, with a Kubernetes login');

const flights = inFile('test/deliver/api/in-flight.test.ts', 'the events in flight of a listener');

export const freshness: Section = {
  name: 'Freshness',
  promises: [
    held(
      'renew-at-two-thirds',
      'A renewable lease is renewed at two thirds of its life.',
      schedule('%s', 'a renewable lease is renewed at two thirds of its life, or up to 5 % of it earlier'),
      manager(
        'renews a renewable lease at two thirds, and fetches a new one before the end once renewal stops extending',
      ),
    ),
    held(
      'renew-jitter',
      'Renewals have jitter.',
      schedule('%s', 'a renewable lease is renewed at two thirds of its life, or up to 5 % of it earlier'),
      inFile(renewals, 'a renewable login')('is renewed within 5 % around that point, so that many agents spread out'),
    ),
    held(
      'fetch-before-the-end',
      'When renewal no longer extends a lease, a new one is fetched **before** the old one ends.',
      schedule('a renewal that is granted less than three quarters of the one before has stopped extending'),
      manager(
        'renews a renewable lease at two thirds, and fetches a new one before the end once renewal stops extending',
      ),
      realLease('has the life that OpenBao promises, is renewed, and capped near its max_ttl'),
    ),
    held(
      'renewal-not-cached',
      'A cache on the way that keeps renewals (Vault Agent, Vault Proxy) answers none; where one does, a fetch follows and never renewals in a loop.',
      schedule('a renewal whose answer is as old as the life that it adds has left the end where it was'),
      inFile('test/backend/vault/client/renewals.test.ts')(
        'no two renewals are equal, so that no cache of Vault Agent answers one by another',
      ),
    ),
    held(
      'replace-non-renewable',
      'A non-renewable lease is replaced at 0.85–0.9 of its life.',
      schedule('%s', 'a non-renewable lease is replaced at 0.85 to 0.9 of its life'),
    ),
    held(
      'certificate-at-two-thirds',
      'A certificate is replaced at two thirds of its validity.',
      schedule('%s', 'a certificate is replaced at two thirds of its validity'),
      schedule('a certificate that was old when it came is not replaced at once, again and again'),
    ),
    held(
      'poll-at-refresh',
      'A secret without a lease is polled at `refresh` (5 m).',
      manager('polls a secret without a lease at its refresh and passes on only what changed'),
      inFile('test/config/load.test.ts', 'a whole configuration')('gets defaults, milliseconds and absolute paths'),
    ),
    held(
      'poll-whatever-kv1-prints',
      'A secret of KV v1 is polled at `refresh`, whatever `lease_duration` its answer has.',
      kv1('has no life, whatever lease_duration and a field named ttl say'),
    ),
    held(
      'poll-jitter',
      'Polls have jitter: an interval is `refresh` ± 10 %, moments that share a wake-up included.',
      schedule('%s', 'a secret without a lease is polled at refresh, 2.5 % more or less'),
    ),
    held(
      'polls-keep-spread',
      'Polls keep their spread over the interval, also after an outage or a busy moment.',
      schedule('a poll keeps its place in the interval after a read %s', 'after an outage of hours'),
      inFile(
        'test/lease/outage.test.ts',
        'while a backend is down',
      )('polls have their spread again in the first interval after it'),
    ),
    held(
      'first-poll-spread',
      'First polls are spread over the whole interval.',
      schedule('the first poll falls anywhere in the interval, so that a fleet drifts apart'),
      timing('of the first poll is anywhere in the interval, and of later ones around refresh'),
    ),
    held(
      'static-role',
      'A static role (`ttl`, `rotation_period`) is read at the earlier of `refresh` and `ttl` + 1 s.',
      schedule('%s', 'a static role is read one second after it rotates'),
      schedule('%s', 'a static role is read at refresh when that is earlier than its rotation'),
      read('of %s', 'a static role'),
      realLease('of a static role rotates'),
      real('a static role that is rotated by hand is followed at refresh, weeks before its announced rotation'),
    ),
    held(
      'static-role-late',
      'A static role that has not rotated when it was due is read again soon.',
      schedule('%s', 'a static role that has not rotated when it was due is read again in a second'),
      aRead('of a static role counts the reads since a rotation was due and the password stayed'),
      aRead('of a static role whose ttl starts again too early does not wait for it with the old password'),
    ),
    held(
      'end-in-an-answer',
      "A value whose answer names its end (`ttl`, `expiration`, a JWT's `exp`, the field that `end` names) lives until then.",
      anEnd('of %s', 'an identity token'),
      anEnd('is named by the configuration: %s'),
      realEnd('is the life of a certificate that a write issues'),
      schedule('%s', 'a value whose answer names the time of its end'),
    ),
    held(
      'end-is-expired',
      'Such a secret is fetched again before that end, and is expired after it.',
      manager('a value whose answer names an end is fetched again at two thirds, and expired past it'),
      real('an identity token is fetched again before it ends, and status shows the end'),
    ),
    held(
      'lease-ends-with-login',
      'A Vault lease ends with the login that made it: its end is the earlier of the two.',
      schedule('a lease ends with its login, whichever is earlier'),
      manager('a lease is expired when its login ends, whatever the lease says'),
    ),
    held(
      'lease-ends-at-that-moment',
      'State, readiness and metrics have the lease as expired from that moment (the schedule of fetches does not depend on it).',
      manager('a fresh lease is expired at the moment its login ends, whether or not an attempt is due'),
      manager('a lease is expired when its login is found dead, and fresh again under the next one'),
      inFile(deaths, 'a revoked login')('is reported as dead at that moment, before the next one is made'),
      real(
        'a lease is expired for state, readiness and metrics when its login has ended, long before its next attempt',
      ),
    ),
    held(
      'age-subtracted',
      'The `Age` of an answer (a cache on the way sent it) is subtracted from the lives of leases and logins.',
      answer('that a cache answered with Age %s began to live that much before', '10'),
      cachedLogin('lasts shorter by the Age of the answer'),
      cachedLogin('and so is a renewal'),
    ),
    held(
      'same-lease-again',
      'An answer with the same lease or token again is no change.',
      answer('that brings the same lease again is no change, and the life that is known stays: %s', 'a lease'),
      manager(
        'a fetch that brings the same lease again is repeated with backoff until the lease ends, and is no change',
      ),
      cachedLogin('with the same token again is looked up, and stays what it is'),
      cachedLogin('with a token that has ended is not taken, and not asked for in a loop'),
    ),
    held(
      'minted-once-per-login',
      'A lease that its token caps is minted once per login.',
      manager(
        'a lease that its login caps is minted once per login, and none is fetched that would end with the same login',
      ),
      manager('a fetch that waits for the next login makes its lease under that login, and is not made twice'),
      inFile(
        'test/system/batch-tokens.test.ts',
        'a login by a batch token, which caps the leases made under it',
      )('brings one database user per login, each under its own login'),
    ),
    held(
      'login-replaced-before-its-end',
      'Before a login ends a new one is made.',
      inFile(renewals, 'a new login is made before the old one ends')('when %s', 'it is not renewable'),
      inFile(
        renewals,
        'a new login is made before the old one ends',
      )('while current returns the old one until the next is there'),
    ),
    held(
      'leases-fetched-under-the-new-login',
      "The old login's leased secrets are fetched under the new one.",
      manager('when the login is replaced, the leases of the old one are fetched under the new one, and nothing else'),
      manager('a lease fetched under the old login while it is replaced is fetched once more'),
    ),
    held(
      'moved-leases-published',
      'They are published and reloaded.',
      loop('what was fetched under a new login is published and reloaded'),
    ),
    held(
      'old-login-left-to-die',
      'The old login stays valid until its own end: it is not revoked.',
      inFile(
        renewals,
        'a new login is made before the old one ends',
      )('and the old one is not revoked, and keeps its end'),
      mainJob(
        'with token_max_ttl 20 s and a database lease of 1 h the password in the file always logs in (60 s of checks)',
      ),
    ),
    held(
      'token-file-read-again',
      'A token file that the kubelet rotates is read again at each login.',
      inFile(
        'test/backend/vault/auth/methods.test.ts',
        'the kubernetes login',
      )('reads the file at each login, through the link that the kubelet swaps'),
      realSession('uses a token file that was rotated'),
    ),
    held(
      'renewal-refused-for-good',
      'A renewal that is refused for good, also with a 500, is followed by a new login at once.',
      inFile(renewals, 'a renewal that is refused for good')(
        'with HTTP 500 for %s is followed by a login at once, and reported as a refusal',
        'another client certificate',
      ),
      inFile(
        'test/system/logins.test.ts',
        'cert: a key pair that was rotated',
      )('cannot renew the login before, and a new login is made in time'),
    ),
    held(
      'jwt-checked-again',
      'Where the server checks the JWT of a login again (OpenBao does), a new login is made instead of a renewal that would be refused, and the last renewal is made shortly before the JWT ends.',
      jwtLogin('is refused a renewal once, and from then on a new login is made before one would be'),
      jwtLogin('is renewed once more shortly before its JWT ends, so that it lives longest'),
      realSession(
        'whose JWT is checked again at renewals is refused one renewal, and from then on logs in again in time',
      ),
    ),
    held(
      'refused-jwt-told',
      'The message of a refused login by JWT says whose JWT it is, for which audience, and whether it has expired.',
      kubernetes('refused, shows the claims of the JWT in the file, and no part that would be enough to log in'),
      kubernetes('refused with a JWT that has expired, says so and since when'),
    ),
    held(
      'invalid-token-logs-in',
      'After "invalid token" (revoked, used up) Pannier logs in at once.',
      inFile(deaths, 'a revoked login')('that the server calls invalid is replaced at once'),
      inFile(
        deaths,
        'a revoked login',
      )('that the server calls invalid is replaced at once, also where the policy denies lookup-self'),
      inFile(deaths, 'a login with limited uses')('that another program used up is noticed and replaced at once'),
    ),
    held(
      'denied-path-never-logs-in',
      'After "permission denied" on one path it never does.',
      inFile(deaths, 'a denied path')('never causes a login, and asks about the login a few times only'),
    ),
    held(
      'lookup-self-tells',
      'OpenBao answers a revoked token with a bare `permission denied`: only `auth/token/lookup-self` tells the two apart.',
      inFile(deaths, 'a revoked login')('is noticed at the next 403, and the call succeeds under a new one'),
      realSession('tells a revoked login from a denied path'),
    ),
    held(
      'backoff',
      'A denied or failing renewal is retried with backoff (full jitter, floor 250 ms, base 500 ms, cap 30 s, or a quarter of the time that is left).',
      schedule('a failing renewal backs off with full jitter between 250 ms and the cap of 30 s'),
      backoff('stays between the floor and a ceiling that doubles up to the cap, for any number of failures'),
      manager('a denied renewal is not repeated: the lease is replaced once, before its end'),
      inFile(
        renewals,
        'a renewal that fails',
      )('is tried again with backoff while there is time, without a new login: %s'),
    ),
    held(
      'ended-lease-replaced',
      'A lease that ended while the agent was suspended is fetched anew as soon as its renewal is refused.',
      schedule(
        'an ended lease that the backend knows no more is fetched anew at once, and what is refused again at refresh',
      ),
    ),
    held(
      'short-lease-outlives-faults',
      'While the backend is away, tries for a lease or login that ends are not put off by more than a quarter of what is left.',
      schedule('a lease of 30 s outlives faults of %i s in a row, with 3 s between them'),
      schedule('what ends soon is tried for more often as its end comes nearer'),
      inFile(
        'test/base/patient-backoff.test.ts',
        'backoff of what need not hurry',
      )('waits no longer than the cap that is given for what ends soon, and never longer than 30 s'),
    ),
    held(
      'retry-after',
      'A Retry-After of the server wins over the backoff, up to 5 m.',
      schedule('Retry-After wins over the backoff and is capped at five minutes'),
      timing('after a failure is the moment that the server asked for with Retry-After'),
      timing('after failures comes later and later, also while the server says Retry-After: 0'),
      inFile(renewals, 'a renewal that fails')('waits as long as the server asks with Retry-After'),
    ),
    held(
      'never-a-hot-loop',
      'No failure leads to requests in a hot loop.',
      inFile(
        renewals,
        'a renewal that is denied by the policy',
      )('costs one call and a login at that point, never hundreds'),
      realSession('whose renewals the policy denies makes a handful of calls'),
      outage('a lease that renewals no longer extend is fetched anew with backoff, although renewals go on'),
      outage('a lease of an older login is fetched anew with backoff, although renewals go on'),
      outage('a short lease of an older login is not asked for in a loop, although its renewals go on'),
    ),
    held(
      'no-minting-for-renewals',
      'New credentials are not minted in a loop because a renewal failed.',
      manager('a failing renewal backs off and mints nothing until the last tenth of the life'),
    ),
    held(
      'no-minting-for-renders',
      'New credentials are not minted in a loop because a render failed.',
      loop('a render error keeps the last generation until a secret changes'),
      loop('a destination in trouble is tried again by itself and fetches nothing'),
    ),
    held(
      'no-minting-for-commands',
      'New credentials are not minted in a loop because a command failed.',
      loop('a failed reload stays owed and is tried again with backoff; it causes no fetch'),
    ),
    held(
      'minting-sent-again-once',
      'A GET that mints is sent again by itself only when a reused kept-alive socket was reset before any answer, once.',
      kept('that was reset before any answer leads to one more try, over a new one'),
      kept('that is reset twice is tried twice, not more'),
      kept('that was reset after the first byte of an answer leads to no other try'),
      inFile('test/http/transport-faults.test.ts')('a reset of a new connection is not tried again'),
    ),
    held(
      'unchanged-version',
      'A secret of KV v2 is unchanged when its version and its `created_time` are.',
      kv2('with %s is %s', 'the same version'),
      kv2('with %s is %s', 'the next version'),
    ),
    held(
      'version-1-again',
      'After a metadata delete, version 1 with other bytes is a change.',
      kv2('with %s is %s', 'version 1 again after a metadata delete'),
      realKv('is unchanged until it is written, and after a metadata delete version 1 is another one'),
    ),
    held(
      'standby-is-no-change-back',
      'An older version, as a standby server answers it, is not taken for a change.',
      kv2('an older version, as a standby server answers it, is no change back'),
      kv2('a smaller number with a later time is a new value: its metadata were deleted'),
    ),
    held(
      'kv-upgrade',
      'A KV mount that becomes version 2 is found by the next read.',
      realKv('that becomes version 2 under a running agent is found by the next read'),
      realKv('whose upgrade the policy does not know is denied, and not called missing'),
      inFile(
        'test/backend/vault/source/kv.test.ts',
        'the mount',
      )('is asked about again when nothing is found there any more, but not at each poll'),
    ),
    held(
      'unchanged-goes-no-further',
      'An unchanged answer renders nothing.',
      manager('polls a secret without a lease at its refresh and passes on only what changed'),
      loop('renders only when one of its own secrets changed'),
    ),
    held(
      'change-refreshes-siblings',
      "A change seen in one secret of an output refreshes the output's other polled secrets at once, so that values changed together arrive together.",
      manager(
        'a change of one secret refreshes the other polled secrets of its output at once, and their changes refresh no others',
      ),
      pipeline('ten secrets changed together are one generation and one reload, although one alone was due'),
    ),
    held(
      'pulled-once',
      'Such a change pulls each other secret forward once between two reads of its own; a change that such an extra read finds pulls no others.',
      manager(
        'a change of one secret refreshes the other polled secrets of its output at once, and their changes refresh no others',
      ),
      manager('secrets whose every answer differs at most double their requests, and keep their spread'),
      manager('a secret that was pulled forward and had not changed is not pulled again before its own next poll'),
      manager('a secret that %s is never pulled forward', 'mints with each request'),
    ),
    held(
      'refresh-reads-after',
      'A refresh that is answered 200 has read the secret after it was asked for.',
      manager('a refresh does not join a fetch that runs already, and all refreshes that wait share the next one'),
      manager('refreshes of a secret that mints fetch once a second at most, each after it was asked for'),
      inFile(
        'test/deliver/api/actions.test.ts',
        'a request for a refresh',
      )('is answered 200 only after a fetch that began after it came'),
      inFile(
        'test/deliver/api/aws.test.ts',
        'for clients of the AWS agent',
      )('a refreshNow that takes too long is not answered with the earlier value'),
    ),
    held(
      'init-polls-nothing',
      '`init` fetches nothing twice while it starts.',
      manager('without polling, a start that takes long fetches each secret once'),
      inFile(
        'test/agent/init.test.ts',
        'init',
      )('asks for nothing again while it waits for another secret, however short refresh is'),
    ),
    held(
      'absence-is-an-answer',
      'A secret that need not exist (`optional`, or a computed path) and does not is fetched again at its refresh, and logged once.',
      manager('an optional secret that does not exist is fetched again at its refresh, and logged once'),
    ),
    held(
      'computed-goes-when-gone',
      'A secret that a computed path names and that does not exist now is absent, whatever value it had before.',
      manager('a computed secret becomes absent when it is deleted at the backend, and fresh when it is back'),
      inFile(
        'test/system/computed.test.ts',
        'computed paths on a real OpenBao',
      )("the page's own example skips folders and deleted secrets, and follows deletions and restorations"),
    ),
    held(
      'leases-on-the-monotonic-clock',
      'Lives of leases run on the monotonic clock.',
      jumps('a lease is renewed when it is due, wherever the wall clock was set back to'),
    ),
    held(
      'certificates-on-the-wall-clock',
      'Lives of certificates run on the wall clock.',
      jumps('a certificate is replaced when the wall clock says so, also after it was set forward'),
    ),
    held(
      'jump-recomputes',
      'After a clock jump or a suspension every deadline is computed again, with fresh jitter.',
      queue('reports a jump of the wall clock once, at the end of the nap, and none below two seconds'),
      manager('a forward jump of the wall clock shortens leases, as it may have been a suspension'),
      jumps('attempts after a suspension are spread over five seconds, each at a moment of its own'),
    ),
    held(
      'lives-of-any-length',
      'Lives from one second to ten years work.',
      schedule('%s', 'a lease of one second is renewed in time'),
      schedule('%s', 'a lease of ten years is renewed in six and a half'),
      timing('of a renewal comes in time when a lease lives for %s', 'one second'),
      timing('of a renewal comes in time when a lease lives for %s', 'ten years'),
      inFile(renewals, 'a renewable login')('may live %s', 'one second'),
      inFile(renewals, 'a renewable login')('of ten years sleeps until its renewal in one go'),
    ),
    held(
      'one-timer',
      'All deadlines share one timer that waits at most 30 s (a Node timer above 2^31-1 ms fires at once).',
      queue('wakes in order of deadline with one pending timer'),
      queue('keeps a deadline ten years ahead, although a Node timer above 2^31-1 ms fires at once'),
    ),
    held(
      'dotenv-agreement',
      'A dotenv file is read as most readers read it; a line that they read differently is refused by its number.',
      dotenv('is read as shells read it: %s', 'a # within a word'),
      dotenv('is refused with its line, and without its text: %s', 'a quote that is not closed'),
    ),
    held(
      'watched-again',
      'A directory of secrets, of the configuration or of a template that was gone is watched again when it is back.',
      watched('that was gone for long, with its parent, is watched when it is back'),
      watched('that was replaced by renaming a directory above it is noticed at the next check'),
      inFile(
        'test/system/hot-reload.test.ts',
        'a new configuration while running',
      )('is found after its directory was gone for a while (%s), and so is a template'),
    ),
    held(
      'failing-secret-holds-up-nobody',
      'A secret that fails never holds up other secrets or outputs.',
      manager('one failing secret does not hold up another'),
      pipeline('a secret without an answer holds up no output but its own'),
    ),
    held(
      'failing-output-holds-up-nobody',
      'An output that fails never holds up others.',
      pipeline('an output that cannot be written holds up no other'),
    ),
    held(
      'failing-command-holds-up-nobody',
      'A command that hangs never holds up other outputs.',
      pipeline('a reload that hangs holds up no other output'),
    ),
    held(
      'failing-reader-holds-up-nobody',
      'A reader that takes nothing never holds up others.',
      inFile(
        'test/deliver/api/watch.test.ts',
        'watching',
      )('cuts off a reader that takes nothing, buffers no values for it, and delays no other reader'),
    ),
    held(
      'slow-readers-bounded',
      'Readers that take nothing share the bytes of one value, and the bytes that a listener holds for all its watchers are bounded.',
      flights('are made once for all readers, and released with the last'),
      flights('are bounded together: the readers of the oldest are cut off, and a single event may be larger'),
      inFile('test/system/memory.test.ts', 'memory')('readers of %s that take nothing share the bytes of one value'),
    ),
  ],
};
