import { held, inFile, type Section } from './promise.ts';

const manager = inFile('test/lease/manager.test.ts', 'the lease manager');
const down = inFile('test/lease/outage.test.ts', 'while a backend is down');
const silent = inFile(
  'test/lease/short-lease.test.ts',
  'what ends soon, at a server that takes requests and does not answer',
);
const pipeline = inFile('test/agent/pipeline.test.ts', 'the pipeline');
const readiness = inFile('test/observe/health.test.ts', 'readiness');
const keys = inFile('test/backend/aws/auth/credentials.test.ts', 'a service that gives credentials');
const wire = inFile('test/deliver/api/aws.test.ts', 'for clients of the AWS agent');
const system = inFile('test/system/state.test.ts', 'the state of an agent, with a real OpenBao');
const inline = inFile('test/system/inline-auth.test.ts', 'inline auth, on a real OpenBao');
const other = inFile('test/system/inline-auth.test.ts', 'inline auth, on another server');
const transit = inFile('test/system/state-transit.test.ts', 'a state whose key OpenBao keeps');
const polled = inFile('test/lease/earlier.test.ts', 'a polled value of an earlier process');
const lease = inFile('test/lease/earlier.test.ts', 'a lease of an earlier process');
const earlier = inFile('test/state/earlier-state.test.ts', 'a value of an earlier process');
const sealed = inFile('test/state/seal.test.ts', 'a sealed state');
const refusedState = inFile('test/state/refused.test.ts', 'a state that was set aside');
const keeper = inFile('test/agent/state/keeper.test.ts', 'the keeper of a state');
const resumed = inFile('test/backend/vault/auth/session-resume.test.ts', 'the login of an earlier process');
const init = inFile('test/agent/init.test.ts', 'init');
const reading = inFile('test/base/read-file.test.ts', 'a file that another user can replace');

export const outage: Section = {
  name: 'Outage',
  promises: [
    held(
      'values-stay-published',
      'While a backend is down, the last good values stay published and readable.',
      manager('a failed refresh keeps the value, marks it stale, and a later success makes it fresh'),
      pipeline('while the backend is down the last good files stay'),
    ),
    held(
      'stale-with-age',
      'They are marked stale, with their age.',
      down('the entry is stale, with the reason and the moment at which the value was last known good'),
      down('an attempt that waits for a login makes the value stale after a second'),
    ),
    held(
      'recovery-spreads',
      'The requests after an outage are spread over time.',
      down('secrets that failed together come back spread over the whole backoff'),
    ),
    held(
      'silent-server',
      'What ends soon is tried for three times at least before its end, also when the server takes each request and does not answer: no request waits for more than half of what is left.',
      silent('is tried for three times before its end: %s', 'a lease of 30 s'),
      silent('is renewed by a server that takes its time: the first try may last for half of what is left'),
      inFile(
        'test/backend/vault/auth/session-renewal.test.ts',
        'a login that ends soon, at a server that takes requests and does not answer',
      )('%s in time: what each try waits for leaves time for two more', 'is renewed'),
    ),
    held(
      'max-stale',
      'Past `maxStale` nothing is deleted: the state is `expired`.',
      manager('past maxStale the state is expired and the value stays'),
    ),
    held(
      'readyz',
      '`/readyz` fails while a required secret is expired.',
      readiness('a required secret that is %s', 'expired'),
      inFile(
        'test/system/observe.test.ts',
        'the health of a running agent',
      )('startup stays true, and readiness follows the backend: stale is ready, expired is not, fresh is again'),
    ),
    held(
      'stale-header',
      'The API has the state of a value in a header.',
      inFile(
        'test/deliver/api/reads.test.ts',
        'reading a secret',
      )('tells in headers the state of the value, and the seconds since it was last known good'),
    ),
    held(
      'state',
      'With `state` a restart during an outage starts from the encrypted last-known-good within `maxStale`.',
      polled('is served as stale, with its age, when the first fetch ends with %s', 'BACKEND_UNREACHABLE'),
      system(
        'lets a start during an outage publish static secrets as stale; fresh values replace them, equal ones publish nothing',
      ),
      system('is served also when the backend is there and does not answer'),
      polled('is served as stale after half a second without an answer, and %s', 'another value replaces it'),
      inFile(
        'test/agent/state/open-kept.test.ts',
        'the opening of a state',
      )('lets the start go on after a second, as on a machine that boots, and gives the state when it is read'),
      polled('expires at the maxStale of its secret, counted from when it was last known good'),
      earlier('is used up to the maxStale of its secret, whatever maxAge says'),
    ),
    held(
      'state-no-refusal',
      'What the backend refuses or no longer has is not served from the state.',
      polled('is not served when the backend answers %s', 'SECRET_DENIED'),
      system('is not served when the backend refuses the secret'),
      keeper('drops what the backend refuses by now'),
    ),
    held(
      'state-handover',
      'With `state` a pod takes one login and one lease for `init` and `run`, and a restart mints nothing.',
      resumed('is used when lookup-self says that it is alive, with the life that the server says'),
      lease('is taken up and renewed when its login is, without a fetch'),
      system('hands one login and one lease from init to run, and ten restarts mint nothing'),
    ),
    held(
      'state-proven',
      'A kept login or lease that the server no longer knows is dropped, and another is made.',
      resumed('that %s is dropped, and another is made', 'is dead'),
      lease('is fetched anew when the server does not know it any more'),
      system('a login that was revoked meanwhile is dropped, and its leases with it'),
      system('a lease that was revoked meanwhile is fetched anew under the same login'),
    ),
    held(
      'state-sealed',
      'The state is ciphertext; one that is damaged, cut short, of another key or of a later version is not used, and stops nothing.',
      sealed('with any bit flipped is not opened'),
      sealed('cut short at any byte, or longer, is not opened'),
      sealed('of %s is refused as such', 'another key'),
      sealed('gives back what was sealed, and holds none of it in the open'),
      system('holds ciphertext only, in files of mode 0600 in a directory of mode 0700, and nothing of it is told'),
      system('that is damaged, cut short or of another key is set aside with a warning, and everything is fetched'),
    ),
    held(
      'state-not-lost',
      'A state whose key is missing stays as it is, and one that cannot be opened is set aside.',
      keeper('%s, the state stays as it was, and the agent works', 'with another key'),
      keeper('%s, the state stays as it was, and the agent works', 'without its variable'),
    ),
    held(
      'state-refused-taken-up',
      'A start with the right key takes up a state that was set aside, however many starts had a wrong one.',
      refusedState('is taken up at the next start with the right key, whatever number of starts had the wrong one'),
      refusedState('is not lost to keys that go to and fro, nor to a new key at each start: the smallest goes'),
      refusedState('is taken up after a damaged file was set aside first'),
    ),
    held(
      'state-transit',
      'A state whose key the backend does not decrypt stays as it is, stops no start, and is opened when the backend does.',
      transit('is left as it is when the key was deleted or the policy cut: the agent works without it and says why'),
      transit(
        'is opened late when the server that holds the key was away at the start, and serves what is missing then',
      ),
      polled('that becomes known late is served when its first fetch had %s', 'BACKEND_UNREACHABLE'),
      transit('keeps a start that finds its server silent no longer than two seconds'),
    ),
    held(
      'inline-no-token',
      'With `auth.inline: auto`, inits that loop leave no token on OpenBao, however they end.',
      inline('lets init fetch what has no lease without any token'),
      inline('makes no token in thirty inits that loop, and a plain init that fails leaves none'),
      inline('does not use a secret id, which may be good for one login only'),
    ),
    held(
      'inline-openbao-only',
      'No credential is sent in a header to a server that does not say that it is OpenBao 2.4 or newer.',
      other('sends no credential in a header to %s, and logs in', 'Vault of a later version'),
    ),
    held(
      'state-written-rarely',
      'The state is written at most once a second, and its trouble with the disk is told once and delays no value.',
      keeper('writes what changed soon, once for all, and at most once a second'),
      keeper('tells once that it cannot write, and writes when it can again'),
    ),
    held(
      'state-no-key-on-disk',
      'No key is made beside a state that is not on tmpfs.',
      keeper('makes no key on a disk: nothing is kept there without keyFile or keyEnv'),
    ),
    held(
      'init-tells-why',
      '`init` with a deadline says which secret failed, at which backend and address, and what that answered.',
      init('tells at the deadline which secret, which backend, its address and what it answered'),
      init('tells at the deadline the backend and the address that never answered, also the only one'),
      init('tells which secrets wait for a login that is not granted'),
    ),
    held(
      'rejection-tells-why',
      'The error about a request that an engine rejects says why, without a value.',
      inFile(
        'test/backend/vault/client/rejection-reasons.test.ts',
        'a request that an engine of a real OpenBao rejects',
      )('%s with %j says why'),
      inFile('test/backend/vault/client/status.test.ts', 'what the server says')('400 %s is shown as %s'),
    ),
    held(
      'wrong-name-is-told',
      'An error names the backend or secret that does not exist, and the field that cannot be written.',
      inFile('test/config/problems.test.ts', 'hints')('%s is explained', 'a misspelt backend'),
      inFile(
        'test/render/formats/dotenv.test.ts',
        'format dotenv',
      )('tells every name and every value that it refuses in one message, up to ten'),
      inFile('test/templates/page.test.ts', 'a builtin that cannot write a field')('%s names it, as with %j'),
      inFile('test/backend/aws/source/failures.test.ts', 'a failure names what was asked for')('%s'),
    ),
    held(
      'config-positions',
      'Every problem of a configuration says in which file, line and column it stands.',
      inFile(
        'test/config/positions.test.ts',
        'the position of a problem',
      )('is that of the value, of an unknown key, and of what misses a key, in YAML'),
      inFile(
        'test/config/positions.test.ts',
        'the position of a problem',
      )('is known of every problem of a file that could be parsed'),
    ),
    held(
      'config-all-at-once',
      'A key that does not fit hides no other problem of its entry, and brings up none of its own making.',
      inFile('test/config/at-once.test.ts', 'a key that does not fit hides no other problem of its entry')(
        '%s',
        'a bad format, an unknown secret',
      ),
      inFile('test/config/at-once.test.ts', 'a key that does not fit brings up no problem of its own making')(
        '%s',
        'a bad onChange',
      ),
    ),
    held(
      'progress-on-terminals',
      'What a command waits for is shown on a terminal only, and nothing of it is left there.',
      inFile('test/system/terminal.test.ts', 'a backend that takes connections and never answers')(
        'is named on the terminal while %s waits, and the line is gone at the end',
        'init',
      ),
      inFile(
        'test/system/terminal.test.ts',
        'a backend that takes connections and never answers',
      )('is named nowhere in a pipe'),
      inFile(
        'test/cli/progress.test.ts',
        'the progress of a process',
      )('is that of its real requests, counts seconds in place, and is gone at the end'),
    ),
    held(
      'audit-bounded',
      'However often clients ask, the number of audit lines is bounded, with a count of those left out.',
      inFile(
        'test/deliver/api/audit.test.ts',
        'audit lines',
      )('of actions come ten times in ten seconds, then with their number, also at the end'),
      inFile(
        'test/deliver/api/audit.test.ts',
        'audit lines',
      )('of mode all are 1,000 reads in ten seconds, and further ones are counted by secret'),
    ),
    held(
      'aws-credential-service',
      'A service of credentials for AWS that cannot be reached for a moment is asked until the deadline, and the error says what it did.',
      keys('of a container that %s is worth another try, and the failure names the cause', 'refuses the connection'),
      keys('of a container that %s is worth another try, and the failure names the cause', 'answers 503'),
      keys('that a profile names (%s) fails in the same way'),
    ),
    held(
      'aws-agent-errors',
      'Clients of the AWS agent get its errors: the status of the service, `__type` and `message`; a method other than GET is 405.',
      wire('an error is reported as the AWS agent does: %s', 'one that is not configured'),
      wire('a refreshNow that ends in %s is %i %s', 'SECRET_DENIED'),
      wire('%s is answered 405 on every path', 'HEAD'),
    ),
    held(
      'reads-in-time',
      'A file that another user can replace is read without waiting for a FIFO, and within five seconds or not at all.',
      reading('is not waited for when it is a FIFO, a device or a directory'),
      inFile(
        'test/base/read-file.test.ts',
        'on a file system that hangs',
      )('a read ends in time, the same path is not asked again, and others are read'),
    ),
    held(
      'stop-in-five-seconds',
      'While a file system hangs or a FIFO has no writer, health answers, and SIGTERM ends the process within five seconds.',
      inFile(
        'test/system/hung-files.test.ts',
        'a file system that hangs, with',
      )('%s on it, holds up neither health nor a stop'),
      inFile(
        'test/system/hung-files.test.ts',
        'a FIFO without a writer, in the place of',
      )('%s holds up neither health nor a stop'),
    ),
  ],
};
