import { describe, expect, it } from 'vitest';
import { isHere, python, pythonPackage, run, withPaths } from './programs.helpers.ts';
import { codeOf, eachText, golden, textOf } from './templates.helpers.ts';

const BOTOCORE = [
  'botocore',
  '1.44.5',
  'jmespath==1.1.0',
  'python-dateutil==2.9.0.post0',
  'urllib3==2.8.0',
  'six==1.17.0',
] as const;
const PASSLIB = ['passlib', '1.7.4'] as const;

const CONFIGPARSER = `
import configparser
def result(path):
    p = configparser.RawConfigParser()
    p.read(path, encoding='utf-8')
    return {s: dict(p[s]) for s in p.sections()}
print(json.dumps([result(path) for path in sys.argv[1:]]))`;

const LOAD_CREDENTIALS = `
sys.path.insert(0, sys.argv[1])
from botocore.session import Session
def result(path):
    s = Session()
    s.set_config_variable('credentials_file', path)
    s.set_config_variable('profile', 'shop')
    c = s.get_credentials()
    return [c.access_key, c.secret_key, c.token]
print(json.dumps([result(path) for path in sys.argv[2:]]))`;

describe('builtin:aws-credentials', () => {
  const given = { profile: 'shop', access_key: 'AKIAIOSFODNN7EXAMPLE', secret_key: 'wJalrXUtnFEMI/K7MDENG+bPx==;#"' };

  it('writes its golden file', async () => {
    const file = await golden('aws-credentials', { ...given, session_token: `IQoJ${'x'.repeat(900)}/+=` });
    await withPaths([file], async (paths) => {
      expect(await python(CONFIGPARSER, ...paths)).toEqual([
        {
          shop: {
            aws_access_key_id: given.access_key,
            aws_secret_access_key: given.secret_key,
            aws_session_token: `IQoJ${'x'.repeat(900)}/+=`,
          },
        },
      ]);
    });
  });

  it('has the token by either name, and none when it is null', async () => {
    expect(await textOf('aws-credentials', { ...given, security_token: 'T' })).toContain('\naws_session_token = T\n');
    const none = await textOf('aws-credentials', { ...given, profile: '', security_token: null });
    expect(none.split('\n').map((line) => line.split(' ')[0])).toEqual([
      '[default]',
      'aws_access_key_id',
      'aws_secret_access_key',
      '',
    ]);
  });

  it('refuses white space, control characters and the beginning of a comment', async () => {
    const refused = ['a b', ' a', 'a\n[x]', '#a', ';a', 'é', '', 'a\0'];
    for (const text of refused) {
      expect([text, await codeOf('aws-credentials', { ...given, secret_key: text })]).toEqual([
        text,
        'RENDER_BAD_ARGUMENT',
      ]);
    }
    expect(await codeOf('aws-credentials', { ...given, profile: 'a]\nb' })).toBe('RENDER_BAD_ARGUMENT');
  });

  it('is read back by botocore', async ({ skip }) => {
    const taken = await eachText('aws-credentials', (text) => ({ ...given, secret_key: text, session_token: 't/+=' }));
    const dir = await pythonPackage(...BOTOCORE).catch((error: Error) => skip(error.message));
    await withPaths(
      taken.map(([, file]) => file),
      async (paths) => {
        expect(await python(LOAD_CREDENTIALS, dir, ...paths)).toEqual(
          taken.map(([text]) => [given.access_key, text, 't/+=']),
        );
      },
    );
  });
});

/** Hashes of the password `p@ss: w`, made by htpasswd and openssl. */
const HASHES = {
  'ann é': '$apr1$APR1SALT$kVHOKjp/PAHjWww2sXkyE/',
  ben: '$6$shopsalt$W.jvl/OiQVp5sznH7UY1VOEzX0YTVP62cE5UqqgDH6/kermOqLmYorqEOnwllzZpkQ2OolVeRJUuzrTRkwzN21',
  cid: '$5$shopsalt$WLYg6sHpb0l8ITF7KTord4M8q3yTQtQP1k3KggEbyr3',
  dan: '{SHA}Wbg0ZNkiHqe6veNL9TMvTHzYijo=',
  eve: '$2y$04$LhRxPA6tLL0YRVv49/a46uoGdhG0i/Zcc2zNdqEeCFzJH4JNMCx/y',
} as const;

const VERIFY = `
sys.path.insert(0, sys.argv[1])
from passlib.apache import HtpasswdFile
f = HtpasswdFile(sys.argv[2])
print(json.dumps([[u, f.check_password(u, 'p@ss: w'), f.check_password(u, 'no')] for u in f.users()]))`;

describe('builtin:htpasswd', () => {
  it('writes its golden file: a line for each user', async () => {
    const file = await golden('htpasswd', HASHES);
    expect(file).toBe(
      `${Object.entries(HASHES)
        .map(([user, hash]) => `${user}:${hash}\n`)
        .join('')}`,
    );
  });

  it('is verified by passlib, and by Apache', async ({ skip }) => {
    const file = await textOf('htpasswd', HASHES);
    // passlib cannot verify bcrypt without the package bcrypt.
    const { eve: _, ...others } = HASHES;
    const known = await textOf('htpasswd', others);
    const dir = await pythonPackage(...PASSLIB).catch((error: Error) => skip(error.message));
    await withPaths([file, known], async ([path = '', ofKnown = '']) => {
      expect(await python(VERIFY, dir, ofKnown)).toEqual(Object.keys(others).map((user) => [user, true, false]));
      if (!(await isHere('htpasswd'))) skip('htpasswd is not on PATH');
      for (const user of Object.keys(HASHES)) await run('htpasswd', ['-vb', path, user, 'p@ss: w']);
      await expect(run('htpasswd', ['-vb', path, 'ann é', 'no'])).rejects.toThrow();
    });
  });

  it('refuses a password instead of a hash, and an invalid user name', async () => {
    for (const text of ['p@ss', '', '$apr1$x:y$z', '$2y$05$x\nroot:$2y$05$x', '{SHA}short', '{PLAIN}p']) {
      expect([text, await codeOf('htpasswd', { ann: text })]).toEqual([text, 'RENDER_BAD_ARGUMENT']);
    }
    for (const user of ['#ann', 'a:b', 'a\nb', '']) {
      expect([user, await codeOf('htpasswd', { [user]: HASHES['ann é'] })]).toEqual([user, 'RENDER_BAD_ARGUMENT']);
    }
  });
});
