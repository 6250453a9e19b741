import { held, inFile, type Section } from './promise.ts';

const supervised = inFile('test/process/supervised-child.test.ts', 'the child of exec');
const again = inFile('test/process/supervised-child.test.ts', 'with onExit: restart');
const handled = inFile('test/process/supervised-child.test.ts', 'a reload signal');
const child = inFile('test/process/child.test.ts', 'a child');
const exec = inFile('test/system/exec.test.ts', 'exec');
const values = inFile('test/system/exec.test.ts', 'new values');
const environment = inFile('test/system/exec.test.ts', 'the environment of the child');
const signals = inFile('test/system/exec-signals.test.ts', 'signals to exec');
const terminal = inFile('test/system/exec-signals.test.ts', 'on a terminal');
const variables = inFile('test/deliver/env/env-sink.test.ts', 'an environment');

export const childOfExec: Section = {
  name: 'Exec',
  promises: [
    held(
      'child-starts-when-all-is-there',
      'The child starts when every output and all variables are published, once, and never before.',
      exec('starts the child once, when all files and variables are published, and never before'),
    ),
    held(
      'child-new-before-old',
      'New values are fetched and rendered before the old child is stopped: a failure stops no child.',
      values('are fetched before the old child is stopped: a secret that fails stops no child'),
    ),
    held(
      'child-one-restart',
      'All changes within the quiet period are one restart.',
      values('stop the child and start it anew, once for changes that come together'),
      values('of files and variables that come together are one restart, with all of them'),
      inFile('test/process/supervised-child.test.ts')('two restarts that are asked for at the same time are one'),
      inFile('test/reload/child-step.test.ts')(
        'a signal is not sent to a child that was started after the generation was published: it has read it',
      ),
    ),
    held(
      'child-never-two',
      'The old child is gone, with all that it started, before the next one starts.',
      supervised('that gets new values is gone, with all that it started, before the next one starts'),
    ),
    held(
      'child-killed-after-grace',
      'A child that does not stop is killed after its grace.',
      child('gets SIGKILL after the grace, and so does all that it started'),
      supervised('that ignores the stop signal is killed after the grace, and the next one starts'),
    ),
    held(
      'child-database',
      'An application whose database user rotates has no failed query.',
      inFile(
        'test/system/exec-database.test.ts',
        'a PostgreSQL application as the child of exec',
      )('gets a new user before the old one ends, and no query of any of its runs fails'),
    ),
    held(
      'child-status',
      'Exec ends when the child ends, with its status or 128+n.',
      supervised('that ends by itself (%s) ends exec with its status'),
      exec('a command that %s gives the status of shells, with the reason'),
    ),
    held(
      'child-our-exit',
      'The end of a child that exec is replacing does not end exec.',
      supervised('that ends during a restart, with whatever status, does not end exec'),
    ),
    held(
      'child-backoff',
      'With `onExit: restart` the child is started again, after a backoff that new values end.',
      again(
        'the child starts again with backoff from 1 s to 1 m, and from the beginning when it has lived for a minute',
      ),
      again('new values end the pause'),
    ),
    held(
      'child-signals',
      'The signals that exec gets reach the child and all that it started.',
      signals('%s is passed on to the child, and neither child nor exec ends'),
      signals('%s is passed on, and exec ends with the child'),
      child('gets a signal alone, or with all that it started'),
    ),
    held(
      'child-terminal',
      'That holds on a terminal too, which stays usable.',
      terminal('the child can read it, also as /dev/tty'),
      terminal('Ctrl-C reaches the child once, and does not end exec'),
    ),
    held(
      'child-deaf',
      'A reload signal that would end the child is not sent.',
      handled('is not sent to a child that does not handle it yet: it would end it'),
    ),
    held(
      'child-leaves-nothing',
      'No process that the child started outlives exec, and Pannier leaves no zombie.',
      supervised('that ends by itself leaves nothing of its group behind'),
      signals('a restarted child leaves no zombie'),
    ),
    held(
      'child-not-our-logins',
      "The credentials of the agent's own logins are not passed on to the child.",
      environment("is the agent's without the credentials of its logins, and configured variables win"),
    ),
    held(
      'child-pristine',
      'With `pristine` the child gets only variables that the configuration names.',
      environment('with pristine has only the variables that are configured and inherited'),
    ),
    held(
      'child-values-hidden',
      'A value of a variable is in the environment of the child and nowhere else; the error about a value that no variable can hold does not show it.',
      inFile('test/system/canary-exec.test.ts')(
        'a value of a variable is in the environment of the child, and nowhere else',
      ),
      variables('refuses %s, names the variable but not the value, and keeps the published ones'),
    ),
  ],
};
