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
const wire = inFile('test/system/aws-agent.test.ts', 'in the place of the AWS agent');
const named = inFile('test/system/aws-agent.test.ts', 'what clients name');
const kept = inFile('test/deliver/aws/on-demand-values.test.ts', 'values that clients name');

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
      'import-not-valid',
      'A configuration in which `import` could not convert something is not valid until a person has looked at it: no file is published without a part that was not converted.',
      rest('are not valid while something is not converted, and each template that is not has a mark of its own'),
      command('makes a configuration that validate refuses while something is not converted'),
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
    held(
      'aws-agent-wire',
      'A listener with `aws` answers as the AWS Secrets Manager Agent does: the same statuses and bodies for a recorded sequence of 48 requests, and the same questions to AWS at the end of the ttl.',
      wire('a recorded sequence of requests is answered as it does'),
      wire('at the end of the ttl it asks whether the version is still current, and keeps the value while AWS is down'),
    ),
    held(
      'aws-on-demand-allowed',
      'What no configuration names is read for a client of the AWS agent only where `allow`, `parameters` and `roleArns` name it; AWS is not even asked for anything else.',
      named('is read only where allow, parameters and roleArns name it, and nothing is sent for anything else'),
      inFile(
        'test/deliver/aws/allowed-names.test.ts',
        'names that clients may read',
      )('%s shows %s with the ARN %s: %s'),
      inFile('test/config/aws-agent.test.ts', 'the key aws of a listener')(
        'is refused with %s',
        'names that nobody allowed',
      ),
    ),
    held(
      'aws-on-demand-kept',
      'Values that clients name are bounded in number and age, read once for equal requests, and dropped when AWS refuses them.',
      kept('make room for others, the one that was written longest ago first'),
      kept('are dropped when the service has not confirmed them for maxStale, also when nobody asks'),
      kept('are read once for equal requests at the same time; refreshNow waits for a read that begins after it'),
      kept('are dropped when the service refuses them: an outage does not bring them back'),
    ),
    held(
      'aws-on-demand-audited',
      'Each value that is read on demand is audited by its name at AWS; status and metrics only count.',
      named(
        'is audited by its name at AWS, counted in status and metrics, and kept when the configuration is read again',
      ),
    ),
  ],
};
