import { held, inFile, type Section } from './promise.ts';

const sink = 'test/deliver/file/file-sink.test.ts';
const access = 'test/deliver/file/access.test.ts';
const trouble = 'test/deliver/file/trouble.test.ts';
const recover = inFile('test/deliver/file/recover.test.ts', 'recover');
const publish = inFile(sink, 'a publish');
const symlinks = inFile(trouble, 'symlinks in the destination');
const attacks = 'test/deliver/attacks.test.ts';
const exchanged = inFile(attacks, 'the directory of an output that was exchanged after the start');
const attacker = inFile(attacks, 'a user who owns the folders around an output, and exchanges them');
const mounts = inFile(attacks, 'requireTmpfs (needs the right to mount)');
const foreignSocket = inFile('test/deliver/http/bind.test.ts', 'a unix socket in a directory of another user');
const socketFolder = inFile('test/deliver/http/socket-folder.test.ts', 'the directory of a unix socket');
const kill = inFile('test/deliver/file/kill.test.ts', 'SIGKILL');
const manager = inFile('test/lease/manager.test.ts', 'the lease manager');
const loop = inFile('test/agent/output/loop.test.ts', 'an output');
const pipeline = inFile('test/agent/pipeline.test.ts', 'the pipeline');
const checked = inFile('test/agent/output/held.test.ts', 'a check of candidates');
const verified = inFile('test/agent/output/held.test.ts', 'a verification');
const init = inFile('test/agent/init.test.ts', 'init');
const run = inFile('test/agent/run.test.ts', 'run');
const noMix = inFile('test/deliver/file/no-mix.test.ts')(
  'a reader that opens ..data once never sees a mix: 100,000 file reads across 200 generations',
);
const prefix = inFile('test/backend/aws/source/prefix.test.ts', 'a prefix');
const leftStages = inFile(
  'test/deliver/http/bind.test.ts',
  'the private directories beside a unix socket that killed processes have left',
);

export const publishing: Section = {
  name: 'Publishing',
  promises: [
    held(
      'inside-dir',
      'Everything is written inside `dir`, which may be a mount point.',
      inFile(trouble, 'volumes of their own (need the right to mount)')('the directory may be a mount point'),
      publish('makes a generation, points ..data at it and links each name through ..data'),
    ),
    held(
      'layout',
      '`..g<N>/` holds the files, `..data` → `..g<N>` (relative) is replaced by a rename, and `NAME` → `..data/NAME`.',
      publish('makes a generation, points ..data at it and links each name through ..data'),
      publish('links the first component of a name with slashes'),
    ),
    held(
      'one-look-up',
      'One path look-up sees one whole file.',
      noMix,
      publish('keeps bytes as they are, empty files and non-UTF-8 included'),
    ),
    held(
      'no-mix',
      'A reader that opens `..data` once and reads below it never sees a mix of generations.',
      noMix,
      inFile(sink, 'the generation before')('is still whole for a reader that opened ..data before'),
    ),
    held(
      'previous-generation-stays',
      'The previous generation stays until the next publish and for at least 10 s.',
      inFile(sink, 'the generation before')('stays until the next publish and at least 10 s'),
      recover('keeps a generation that was replaced less than 10 s ago by the process before'),
    ),
    held(
      'foreign-data-replaced',
      'A `..data` that Pannier did not make is replaced, never followed.',
      symlinks('a ..data that leads to %s is replaced, never followed'),
    ),
    held(
      'docs-say-one-file',
      'The docs say that values which must match belong in one file, for readers that open paths one by one.',
      inFile('test/docs/agent.test.ts', 'docs/agent.md')('says that what must match belongs in one file'),
    ),
    held(
      'equal-bytes',
      'Equal bytes publish nothing and reload nothing.',
      inFile(sink, 'an equal generation')('writes nothing, also after a restart'),
      loop('equal bytes publish nothing and reload nothing'),
    ),
    held(
      'killed-anywhere',
      'After SIGKILL at any instruction, the disk has a complete generation.',
      kill('%s: what is on disk is complete, and the next start cleans up (%i kills)'),
      kill('before each single call to the file system that a publish makes, %s'),
    ),
    held(
      'next-start-cleans',
      'The next start removes what was left behind.',
      recover('removes what a kill left behind: candidates, temporary links, links that lead nowhere'),
    ),
    held(
      'files-0400',
      'Files are 0400 by default.',
      inFile('test/config/defaults.test.ts', 'an output without modes')('has files of 0400 and no dirMode'),
      inFile(access, 'modes')('files %s: the generation gets x wherever a file has r', '0400'),
    ),
    held(
      'sockets-0600',
      'Sockets are 0600 by default (made under a umask or in a private directory, not chmodded after).',
      inFile(
        'test/deliver/http/bind.test.ts',
        'a unix socket',
      )('is private unless a mode is set, and nothing else is left beside it'),
      inFile(
        'test/deliver/http/bind.test.ts',
        'a unix socket',
      )('is never at its path with another mode than its own, whatever the umask is'),
    ),
    held(
      'left-sockets',
      'What a killed process has left beside a socket is removed at the next start, and nothing of others or in use.',
      leftStages('are removed when a socket is bound there again'),
      leftStages('are left alone when they are in use, or may belong to somebody else'),
    ),
    held(
      'sockets-by-descriptor',
      'A socket in a directory of another user gives its owner and mode to no other file.',
      foreignSocket('gives its owner and mode to no other file when that user exchanges its private directory'),
      foreignSocket('is not made behind a symlink that this user can exchange'),
    ),
    held(
      'no-foreign-links',
      'A log file and a pid file are never reached through a link that another user can exchange.',
      inFile(
        'test/log/log-file.test.ts',
        'a log file',
      )('is never a link that another user can exchange: symlinks, second names, and on the way'),
      inFile(
        'test/process/pid-file.test.ts',
        'a pid file of another user',
      )('may not be a symlink, or a second name, in a directory of that user'),
    ),
    held(
      'dir-created',
      '`dir` is created when it is missing (0700 unless `dirMode`).',
      inFile(access, 'the directory of an output')('is created %s', '0700'),
      inFile(access, 'the directory of an output')('is created %s', 'its dirMode'),
    ),
    held(
      'dir-never-chmodded',
      'A `dir` that exists is never chmodded.',
      inFile(access, 'the directory of an output')('is never chmodded when it exists'),
    ),
    held(
      'x-where-r',
      "A generation's directory gets x wherever one of its files has r (0440 → 0750).",
      inFile(access, 'modes')('files %s: the generation gets x wherever a file has r', '0440'),
      inFile(access, 'modes')('a file with a mode of its own opens only the folders on its path'),
    ),
    held(
      'access-before-the-swap',
      'Modes and owners are set before the swap.',
      inFile(access, 'modes')('are set before the swap'),
      inFile(access, 'owners')('are set before the swap'),
    ),
    held(
      'no-symlink-followed-out',
      'No symlink in the destination is followed out of it, at a start, at a publish or while removing, whoever owns the directories around it.',
      symlinks('a directory that is a symlink is OUTPUT_SYMLINK, with a trailing slash too'),
      symlinks('a name that leads elsewhere is OUTPUT_SYMLINK'),
      symlinks('a symlink exchanged for the candidate right after it %s gets no file'),
      symlinks('a published generation that is a symlink is not followed, but published again'),
      exchanged('for a symlink is OUTPUT_SYMLINK at the next publish, and nothing is written where it leads'),
      exchanged('for another directory between stage and commit publishes nothing there'),
      exchanged('may be reached through a symlink only where root made it'),
      attacker('its directory for a symlink at any moment gets nothing published elsewhere, on %s'),
      attacker('a generation for a symlink while it is swept removes nothing elsewhere, on %s'),
      attacker('changes neither owner nor mode of a directory of another user by exchanging a candidate'),
    ),
    held(
      'tmpfs-warning',
      '`init` and `run` warn when `dir` is not on tmpfs.',
      init('warns when a dir is not on tmpfs, and publishes'),
      run('warns when a dir is not on tmpfs, and stays'),
    ),
    held(
      'tmpfs-required',
      'With `requireTmpfs: true` every publish outside a tmpfs is refused.',
      inFile(trouble, 'tmpfs')('is detected, and requireTmpfs refuses everything else'),
      init('refuses a dir that is not on tmpfs when requireTmpfs is set'),
      run('ends when a dir is not on tmpfs and requireTmpfs is set'),
      mounts('refuses at the next publish when the mount is gone, and goes on when it is back'),
      mounts('refuses when something is mounted over the directory, also between stage and commit'),
    ),
    held(
      'deleted-is-kept',
      'A value whose secret was deleted at the backend is kept, stale with reason `deleted`.',
      manager('a value whose secret was deleted at the backend is kept, stale with reason deleted'),
    ),
    held(
      'files-go-with-their-configuration',
      'Files are removed only when the configuration no longer names them.',
      publish('removes the links of names that are gone, and no link that Pannier did not make'),
    ),
    held(
      'files-go-with-their-prefix',
      'An entry of a prefix map goes when its secret is deleted at the backend.',
      prefix('new ones appear, deleted ones go, changed ones change, and only their values are read'),
      inFile('test/system/aws.test.ts', 'a prefix')('is a map whose secrets come and go'),
    ),
    held(
      'optional-holds-nothing-up',
      'An `optional` secret whose first fetch ends in an error counts as absent and holds nothing up.',
      manager('a secret that does not exist is absent, with the reason, and is not fetched in a loop'),
      inFile(
        'test/render/renderer.test.ts',
        'a renderer',
      )('waits for each secret without an answer, and for a required one that is absent'),
      pipeline('an optional secret whose first fetch fails is absent and holds nothing up'),
    ),
    held(
      'absent-is-falsy',
      'An absent secret is falsy in `if`, `unless` and `default`.',
      inFile(
        'test/render/paths.test.ts',
        'an optional secret that is absent',
      )('is falsy in if, unless and default, whatever field is asked for'),
    ),
    held(
      'socket-folder',
      'A missing directory of a socket is made, one level of it, private but for those who may connect; one that exists is never changed.',
      socketFolder('is made when it is missing, private, whatever the umask is'),
      socketFolder('lets the clients of every socket of the configuration pass, whichever is opened first'),
      socketFolder('is never changed when it exists'),
      socketFolder('is not made when its own directory is missing too, which the failure names'),
    ),
    held(
      'check',
      '`check` runs on the candidate; when it fails, the published generation stays.',
      checked('keeps the published generation while it fails, and publishes what is good again'),
      checked('is tried again by itself, since what it failed for may be outside'),
    ),
    held(
      'verify',
      'When `verify` fails after a reload, the previous generation is published again and reloaded.',
      verified('that fails after a reload publishes the generation before again, and reloads it'),
      verified('that fails for the generation before too goes no further back'),
    ),
    held(
      'held-back',
      'What was rolled back is held back while the output would publish the same files, also by the next process, or until a person says otherwise.',
      verified('holds the bad generation back until its values change, also in the next process'),
      verified(
        'holds the bad generation back when its values come back, until the published ones were the newest again',
      ),
      inFile(
        'test/system/rollback.test.ts',
        'an output whose application is asked after each reload',
      )('goes back to the values before, says so, and publishes what is held back when a person asks for it'),
    ),
  ],
};
