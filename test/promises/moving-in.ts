import { held, inFile, type Section } from './promise.ts';

const hcl = inFile('test/import/hcl.test.ts', 'the HCL parser');
const keys = inFile('test/import/keys.test.ts', 'the table of keys');
const rest = inFile('test/import/config.test.ts', 'configurations of other agents');
const corpus = inFile(
  'test/import/corpus.test.ts',
  'a corpus of Go templates, rendered by a real agent and by Pannier',
);
const compare = inFile('test/system/import.test.ts', 'pannier import --compare');
const command = inFile('test/system/import.test.ts', 'pannier import');

export const movingIn: Section = {
  name: 'Moving in',
  promises: [
    held(
      'import-modes',
      '`import` reads a configuration as the other agent does: `perms = 0644` is octal, and blocks with and without labels stand side by side.',
      hcl('keeps how a number is written, since 0644 and 644 are different modes'),
      hcl('reads blocks with a label beside one without, which the other parser refuses'),
    ),
    held(
      'import-answers',
      'Every key of the other agents is converted, or named with its line and what to do; what `import` does not know is named too.',
      keys('has an answer for every key of %s', 'Vault Agent'),
      rest('loses no key without a word'),
    ),
    held(
      'import-bytes',
      'A template that is converted without a word gives the same bytes as the other agent, but for the differences that the documentation names.',
      corpus('gives the same bytes but for the templates that are named'),
    ),
    held(
      'import-no-values',
      'No message of `import`, and no configuration that it writes, shows a text that may be a secret.',
      hcl('names no text of the file in what it says, since it may be a secret'),
      command('shows no text of the configuration that may be a secret'),
      compare('shows a difference with marks in the place of values, and the values when that is asked for'),
    ),
    held(
      'import-harmless',
      '`import --compare` publishes nothing, runs no command and removes no credential.',
      compare('publishes nothing, runs no command, removes no credential, and leaves no file behind'),
    ),
  ],
};
