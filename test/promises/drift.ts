import { held, inFile, type Section } from './promise.ts';

const disk = 'test/deliver/file/drift.test.ts';
const look = inFile(disk, 'a look');
const changes = inFile(disk, 'a look at what is published, %s');
const changed = inFile(disk, 'a generation that was changed');
const output = inFile('test/agent/output/drift.test.ts', 'an output that another process has changed');
const back = inFile('test/deliver/file/going-back.test.ts', 'going back, %s');
const knownBack = inFile('test/deliver/file/going-back.test.ts', 'going back');
const rollback = inFile('test/system/rollback.test.ts', 'an output whose application is asked after each reload');
const keeper = inFile('test/agent/output/drift-keeper.test.ts', 'published files that others change');
const restore = inFile('test/agent/output/restore-times.test.ts', 'a restore');
const agent = inFile('test/system/drift.test.ts', 'published files that another process has changed');
const second = inFile('test/system/drift.test.ts', 'a second agent in the directory of an output');
const owner = inFile('test/deliver/file/owners.test.ts', 'the owner of a directory');
const place = inFile('test/deliver/place-socket.test.ts', 'a socket that is put in its place');
const noOwners = inFile('test/deliver/file/owners.test.ts', 'a sink without owners, as of init');

export const drift: Section = {
  name: 'Drift',
  promises: [
    held(
      'drift-found',
      'What is published is looked at again, and whatever readers would meet is found: bytes, links, names, modes, owners, another directory.',
      changes('finds that another process %s, and publishing again puts it right'),
      look('finds that %s, and publishing again puts it right'),
      look('finds that an empty tmpfs was mounted over the directory, or mounted anew, and publishing puts it right'),
    ),
    held(
      'drift-restored',
      'It is published anew and reloaded within seconds; for modes and owners alone nothing is reloaded.',
      output('is published anew, and the application is reloaded'),
      output('is not reloaded for a mode or an owner: no reader has met other bytes'),
      agent('with sed -i are put right, by run and by init'),
    ),
    held(
      'drift-at-start',
      'A start, of `init` too, puts right what another process has changed.',
      changes('is not needed by the next process after another one %s: its start puts it right'),
    ),
    held(
      'drift-told',
      '`readyz`, status and metrics follow the disk; with `drift: report` it is only told.',
      agent('with drift: report are shown by readyz, metrics and status until they are right again'),
      output('is left as it is with drift: report, until a value changes'),
    ),
    held(
      'drift-no-loop',
      'Who changes the files again and again causes restores ever further apart, and is told of.',
      restore('comes at once, and while others change the files again and again later each time, up to five minutes'),
      keeper('again and again are put right later each time, without a look in between, and say so'),
    ),
    held(
      'drift-no-mix',
      'No reader sees a mix of generations while another process edits them.',
      output('by 200 edits at random: no reader sees a mix of generations, and the last one is put right'),
    ),
    held(
      'drift-never-back',
      'Nothing goes back to a generation that another process has changed, as digests in the process that published it and times in a later one show; the youngest untouched one is taken.',
      changed('is never gone back to, and is removed when its readers have had ten seconds'),
      back('leaves a generation out after another process %s, and takes the one before'),
      back('leaves a generation of an earlier process out after another process %s, and takes the one before'),
      knownBack('leaves a generation of an earlier process out of which nothing is known'),
      rollback('does not go back to what another process has changed, by hand, by itself or after a restart'),
    ),
    held(
      'no-back-to-bad',
      'Nothing goes back to a generation that was taken back once, be it by a failed verification or by hand.',
      knownBack('leaves out what was held back once, also in the next process'),
    ),
    held(
      'drift-no-bytes',
      'To compare, no bytes are kept in memory, but an HMAC of each file under a key of the process.',
      look('remembers no bytes: what it holds of a file is an HMAC under a key that each process draws'),
    ),
    held(
      'drift-keeps-theirs',
      'A directory that is not empty is never removed in the place of a file, a link or `..data`.',
      look('never removes a folder that is not empty in the place of %s'),
    ),
    held(
      'one-agent',
      'Of two agents on one directory the second is refused by name: pid, since when, configuration.',
      owner('is the first agent; the second one is refused, and told who the first one is'),
      owner('is one of ten agents whose sinks begin at once in %s, and the others are refused'),
      second('is refused with status 1, be it run, exec or init, and told who the first one is'),
      noOwners('is refused by a living owner and not by a dead one, and makes no socket'),
    ),
    held(
      'dead-owner',
      'A directory whose agent was killed is taken over at once, by one of those who try.',
      owner('that was killed has none: the next agent takes it over at once'),
      owner('is one of %i agents that find a dead one in the same moment'),
      place('does not replace a faster one, although it had found the one before dead'),
      place('is refused while another process is about to replace the dead one, however long that takes'),
      second('takes it over at once from one that was killed, and init hands it over to run'),
    ),
  ],
};
