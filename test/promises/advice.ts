import { held, inFile, type Section } from './promise.ts';

const unused = inFile('test/agent/unused.test.ts', 'nothing is left unused in silence:');
const used = inFile('test/agent/unused.test.ts', 'no warning comes when');
const denied = inFile('test/backend/vault/advice.test.ts', 'a denied request says which policy lines are missing');
const unseen = inFile('test/backend/vault/advice.test.ts', 'a mount that the login does not see');
const source = inFile('test/backend/vault/source/advice.test.ts');
const kv2 = inFile('test/backend/vault/advice.test.ts', 'read of KV version 2');
const readPath = inFile('test/config/vault-habits.test.ts', 'a path of `read`');
const kvPath = inFile('test/config/vault-habits.test.ts', 'a path of `kv` with data/ behind the mount');
const kvSource = inFile('test/backend/vault/source/kv.test.ts', 'KV version 2');

export const advice: Section = {
  name: 'Advice',
  promises: [
    held(
      'unused-is-told',
      'A secret or a backend that nothing uses is a warning of `validate` and of the start, and so is a configuration with nothing to do.',
      unused('secrets that nothing reads are one warning with all their names'),
      unused('backends that nothing asks are one warning'),
      unused('a configuration with nothing to do is one warning: %s', 'secrets alone'),
    ),
    held(
      'used-is-not-told',
      'What an output, a reload, a listener, a computed path, the proxy or the environment of `exec` uses is no such warning.',
      used('%s', 'a listener of the API without a list shows all secrets'),
      used('%s', 'a path that a template computes asks the backend'),
      used('%s', 'the proxy has a backend of its own'),
      used('%s', 'a variable of exec uses the secret'),
    ),
    held(
      'denied-shows-policy',
      'A denied request shows the policy lines that it lacks, by the path that the server checks; with them it succeeds.',
      denied('for %s, and with them it succeeds', 'kv version 2'),
      denied('for %s, and with them it succeeds', 'a list of names'),
      denied('in its namespace, relative to which the path is'),
    ),
    held(
      'denied-shows-mounts',
      'When the login does not see the mount of a path, the message says that it may not exist, and names the mounts that it sees.',
      unseen('is named, with both causes and the line of each KV version'),
      unseen('may be misspelt: %s', 'secrt/shop/app'),
      unseen('is said to be missing when the policy allows the path'),
    ),
    held(
      'mounts-asked-seldom',
      'The server is asked for its mounts once in five minutes while requests are denied, and a message waits two seconds for them at most.',
      unseen('is asked about once, however many secrets are denied and however often'),
      source('the list of mounts is used for five minutes'),
      source('a list that does not come holds the failure up for two seconds at most'),
    ),
    held(
      'read-of-kv2-is-told',
      'A `read` of KV version 2 is a warning of `validate` when its path shows it, and one line of the log at its first answer.',
      readPath('that looks like KV version 2 is a warning with the kv to write: %s', 'secret/data/shop/app'),
      kv2('is one warning at the first answer, and none at later ones'),
    ),
    held(
      'kv-data-is-told',
      'A path of `kv` with `data/` behind the mount is a warning of which secret is read; behind a `mount` that is named, `data/` belongs to the name.',
      kvPath('is a warning that says which secret is read, and how to write the other'),
      kvSource('takes what follows the mount that is named as a name: %s, %j', '/data/x/'),
    ),
  ],
};
