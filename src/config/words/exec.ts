import type { Words } from './words.ts';

/** The section `exec`. */
export const execWords: Words = {
  'exec.command': {
    type: 'list of texts',
    default: 'behind `--`',
    does: "the program and its arguments, never a shell; a program with a slash is a path, one without is looked up on the child's `PATH`. A command behind `--` wins",
    examples: [['./shop', '--port', '8080']],
  },
  'exec.from': {
    type: 'name, or list of names',
    does: 'whole secrets, `SECRET` or `SECRET.FIELD`: each field is a variable; see [docs/exec.md](exec.md)',
    examples: [['app', 'db']],
  },
  'exec.rename': {
    type: 'map',
    default: '`{}`',
    does: 'with `from`: new names of variables, by `FIELD` or `SOURCE.FIELD`',
    examples: [{ 'pass-word': 'PASSWORD' }],
  },
  'exec.case': {
    type: '`upper`, `lower`',
    default: 'as they are',
    does: 'with `from`: letters of the names, after `rename`',
    examples: ['upper'],
  },
  'exec.prefix': {
    type: 'text',
    default: '`""`',
    does: 'with `from`: put before each name, after `case`',
    examples: ['SHOP_'],
  },
  'exec.keys': {
    type: '`identifier`',
    default: 'as they are',
    does: 'with `from`: what no identifier has becomes `_`, in the whole name: `pass-word` is `pass_word`',
    examples: ['identifier'],
  },
  'exec.names': {
    type: '`any`',
    default: 'identifiers',
    does: 'names of variables may have dots, dashes and other characters, but no white space, `=`, `/` or dot at the beginning: `spring.datasource.url`',
    examples: ['any'],
  },
  'exec.env': {
    type: 'map',
    does: 'a [template](templates.md) for each variable, by its name `[A-Za-z_][A-Za-z0-9_]*`; `${…}` means nothing here. A variable that `from` gives too is the one of `env`',
    examples: [{ DB_PASSWORD: '{{db.password}}' }],
  },
  'exec.onChange': {
    type: '`restart`, `signal`, `none`',
    default: '`restart`',
    does: 'what happens to the child when a variable changes. A running process keeps its environment: only `restart` gives it the new one',
  },
  'exec.signal': { type: 'text', default: '`SIGHUP`', does: 'with `onChange: signal`', examples: ['SIGUSR2'] },
  'exec.stopSignal': {
    type: 'text',
    default: '`SIGTERM`',
    does: 'asks the child to stop for a restart',
    examples: ['SIGQUIT'],
  },
  'exec.grace': { type: 'duration', default: '`30s`', does: 'how long it may take to stop, then SIGKILL' },
  'exec.onExit': {
    type: '`end`, `restart`',
    default: '`end`',
    does: 'when the child ends by itself: exec ends with its status, or starts it again, after 1 s at first and up to 1 m',
  },
  'exec.quiet': {
    type: 'duration',
    default: '`1s`',
    does: 'use new variables when no secret of them is being fetched and this time has passed',
  },
  'exec.maxWait': {
    type: 'duration',
    default: '`10s`, or `quiet` when that is longer',
    does: 'use them after this time at the latest',
    examples: ['30s'],
  },
  'exec.spread': {
    type: 'duration',
    default: '`0s`',
    does: 'the replicas of a fleet take changes up within this time, each at a moment of its own; see [a fleet](fleet.md#reloads)',
    examples: ['2m'],
  },
  'exec.pristine': {
    type: 'boolean',
    default: '`false`',
    does: "the child gets only those of the agent's own variables that `inherit` names",
  },
  'exec.inherit': {
    type: 'list of names',
    default: '`[]`',
    does: 'variables of the agent that the child gets in any case, also when they hold logins',
    examples: [['VAULT_TOKEN']],
  },
};
