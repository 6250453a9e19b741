import { held, inFile, type Section } from './promise.ts';

const well = inFile('test/system/doctor.test.ts', 'pannier doctor on a set-up that works');
const backend = inFile('test/system/doctor.test.ts', 'the first failing line of pannier doctor names the cause');
const machine = inFile(
  'test/system/doctor.test.ts',
  'the first failing line of pannier doctor names what is wrong on this machine',
);
const advice = inFile('test/system/doctor-as-init.test.ts', 'pannier doctor gives the advice of init');
const rendering = inFile('test/system/doctor-as-init.test.ts', 'pannier doctor renders what it has read');
const policy = inFile('test/system/policy.test.ts', 'pannier policy for OpenBao');
const awsPolicy = inFile('test/system/aws-policy.test.ts', 'pannier policy for AWS');
const watch = inFile('test/system/watch.test.ts', 'status --watch on a terminal');
const view = inFile('test/cli/status/watch-view.test.ts', 'the view of status --watch');
const page = inFile('test/observe/page/page.test.ts', 'the status page');
const openPage = inFile('test/system/live-page.test.ts', 'an open status page (needs chromium on the PATH)');

export const commands: Section = {
  name: 'Commands',
  promises: [
    held(
      'watch-gives-back',
      '`pannier status --watch` gives the terminal back as it was, and goes on while the agent is away.',
      watch('fits 60 columns and any height, follows its size, and gives the terminal back at q'),
      watch('goes on while the agent is away, says so, and says that it was started again'),
    ),
    held(
      'watch-terminal-safe',
      'No name or reason in the view of `pannier status --watch` can control the terminal or break its lines.',
      view('keeps within the width, and lets no name control the terminal'),
    ),
    held(
      'attention-first',
      'However many outputs, logins and secrets there are, the status page and `status --watch` leave out none that needs attention before one that is well.',
      page('lists the outputs, backends and served names that need attention before those that are well, however many'),
      view('cuts no output or login that needs attention before one that is well'),
    ),
    held(
      'silent-is-not-well',
      'Of an agent that hangs or has ended, neither an open status page nor `status --watch` goes on saying that all is well.',
      openPage('says that nothing comes any more, takes its verdict back, follows anew, and is live again'),
      openPage('takes its verdict back when the agent has ended'),
      view('gives no verdict of an agent that does not answer, but says what the last one was'),
      watch('says within seconds that an agent hangs, counts on, and is well again with it'),
    ),
    held(
      'doctor-names-the-cause',
      'The first failing line of `pannier doctor` names the cause, and what follows from it is skipped.',
      backend('of a refused port'),
      backend('of a name that does not resolve'),
      backend('of an unknown authority'),
      backend('of a certificate for another name'),
      backend('of a clock that is wrong'),
      backend('of a sealed server'),
      backend('of a token file that is missing, expired, or holds no JWT'),
      backend('of a wrong audience, and of a role that does not exist'),
      backend('of a path that the policy leaves out, a mount that is missing, and a secret that is missing'),
      machine('of a directory that cannot be written or made'),
      machine('of a socket directory that is missing, a dead socket, and a port that another program has'),
      machine('of a stale pid file, a process that is missing, a command that is missing, and a server that is down'),
    ),
    held(
      'doctor-changes-nothing',
      '`pannier doctor` publishes nothing, fetches nothing whose fetch makes something new, and revokes the login that it made.',
      well('finds nothing wrong, publishes nothing and leaves no login behind'),
      well('fetches nothing whose fetch makes something new'),
      well('uses up no secret id that can be used once'),
    ),
    held(
      'doctor-says-what-init-says',
      'Where a fetch makes nothing new, `pannier doctor` fetches and renders, and tells what `init` would tell.',
      advice('and names the newest version of a secret that lacks the pinned one'),
      rendering('tells a misspelt field of a template, of a format and of a request as init does, with its position'),
      rendering('warns of a field beside a secret that is not fetched, and makes no credential'),
    ),
    held(
      'policy-is-enough',
      'Under the policy that `pannier policy` prints everything works, also without the policy `default`.',
      policy('prints a policy under which everything works, without the default policy'),
      awsPolicy('prints a policy under which nothing is refused, and no action that can be left out'),
    ),
    held(
      'policy-is-least',
      'No line, capability or action of the policy that `pannier policy` prints can be left out.',
      policy('prints no line and no capability that can be left out'),
      awsPolicy('prints a policy under which nothing is refused, and no action that can be left out'),
    ),
  ],
};
