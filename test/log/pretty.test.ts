import { describe, expect, it } from 'vitest';
import { failure, failureAt } from '../../src/base/errors.ts';
import type { Fact } from '../../src/base/fact.ts';
import { prettyText, wantsColours } from '../../src/log/terminal/pretty.ts';
import { StatusLine } from '../../src/log/terminal/status-line.ts';

const CONTROLS = /[\p{Cc}\u202e\u2028]/u;

const WALL_MS = new Date(2026, 10, 30, 9, 5, 7).getTime();
const told = (fact: Fact): string => prettyText(fact, WALL_MS, false);
const denied = failure('SECRET_DENIED', 'secrets.db.read', 'permission denied', { hint: 'Ask for the policy.' });

describe('the log for people', () => {
  it.each<[string, Fact, string]>([
    [
      'a start',
      { kind: 'agent-started', version: '1.2.3', command: 'init', secrets: 1, outputs: 2 },
      '09:05:07 pannier 1.2.3 init: 1 secret, 2 outputs\n',
    ],
    [
      'a failure, with the hint on a line of its own',
      { kind: 'secret-failed', secrets: ['db'], doing: 'fetch', failure: denied, retryInMs: 2_400 },
      '09:05:07 warning: cannot fetch secret db: secrets.db.read: permission denied (SECRET_DENIED); tried again in 2s\n' +
        '         Ask for the policy.\n',
    ],
    [
      'a problem of the configuration, with its position',
      { kind: 'agent-warning', warning: failureAt(denied, { file: 'shop.yaml', line: 3, column: 9 }) },
      '09:05:07 warning: shop.yaml:3:9: secrets.db.read: permission denied (SECRET_DENIED)\n         Ask for the policy.\n',
    ],
    [
      'the end of init',
      {
        kind: 'init-done',
        published: 2,
        unchanged: 2,
        durationMs: 1_900,
        outputs: [
          { output: 'shop', dir: '/run/secrets/shop', files: 2 },
          { output: 'one', dir: '/run/secrets/one', files: 1 },
          { output: 'two', dir: '/run/secrets/two' },
        ],
      },
      '09:05:07 done in 2s: 2 outputs published, 2 unchanged\n' +
        '         2 files published in /run/secrets/shop\n' +
        '         1 file published in /run/secrets/one\n' +
        '         unchanged: /run/secrets/two\n' +
        '         and 1 more\n',
    ],
    [
      'a certificate on demand that gives way',
      { kind: 'secret-dropped', secrets: ['sds a.shop.svc'] },
      '09:05:07 secret sds a.shop.svc is let go: nothing asks for it any more\n',
    ],
    [
      'a secret that is dropped',
      { kind: 'secret-dropped', secrets: ['db'] },
      '09:05:07 secret db is no longer configured\n',
    ],
    [
      'a refusal of Envoy',
      { kind: 'sds-refused', names: ['server_cert', 'clients'], node: 'gateway', failure: denied },
      '09:05:07 error: Envoy gateway refused server_cert, clients: secrets.db.read: permission denied (SECRET_DENIED)\n' +
        '         Ask for the policy.\n',
    ],
    [
      'what Envoy cannot be served',
      { kind: 'sds-unusable', name: 'server_cert', failure: failure('SDS_UNUSABLE', 'sds.secrets.a', 'no key') },
      expect.stringMatching(/^09:05:07 error: server_cert cannot be served to Envoy: sds.secrets.a: no key \(SDS_UNUS/),
    ],
    [
      'what Envoy was sent',
      { kind: 'sds-sent', how: 'delta', names: ['a', 'b'], secrets: 3 },
      '09:05:07 debug: sent to Envoy: a, b and 1 more\n',
    ],
    ['what Envoy took up', { kind: 'sds-accepted', names: ['a'], secrets: 1 }, '09:05:07 debug: Envoy took up a\n'],
    [
      'a name that sds does not have',
      { kind: 'sds-unknown', name: 'a' },
      '09:05:07 warning: Envoy asked for a, which sds does not have\n',
    ],
    [
      'a secret that is kept',
      { kind: 'secret-kept', secrets: ['db'], life: 'lease', lifeMs: 60_000, ageMs: 1_000 },
      '09:05:07 secret db kept from before the start, 1s old, good for 1m\n',
    ],
    [
      'a secret that has ended',
      { kind: 'secret-state', secrets: ['db'], state: 'expired', reason: 'SECRET_EXPIRED' },
      '09:05:07 warning: secret db is expired: what was fetched last is past its end (SECRET_EXPIRED)\n',
    ],
    [
      'what has no words of its own',
      { kind: 'api-audit', audit: true, where: 'unix:///x', action: 'read', outcome: 'done', secret: 'app' },
      '09:05:07 API: audit true, where unix:///x, action read, outcome done, secret app\n',
    ],
  ])('tells of %s', (_, fact, text) => {
    expect(told(fact)).toEqual(text);
  });

  it('cannot be moved by control characters in a name, a reason or a hint', () => {
    const nasty = 'a\x1b[2Jb\nc\rd\u202ee\u2028';
    const failed = failure('SECRET_DENIED', nasty, nasty, { hint: nasty });
    const text = told({ kind: 'login-failed', backend: nasty, method: 'x', failure: failed, retryInMs: 1 });
    expect(text.split('\n')).toHaveLength(3);
    expect(text.replaceAll('\n', '')).not.toMatch(CONTROLS);
    expect(prettyText({ kind: 'agent-stopping', reason: nasty }, WALL_MS, true)).not.toContain('\x1b[2J');
    const printed = told({ kind: 'reload-output', output: 'o', generation: 1, place: 'p', lines: [nasty] });
    expect(printed.replaceAll('\n', '')).not.toMatch(CONTROLS);
  });

  it('has colours unless NO_COLOR is set or the terminal has none', () => {
    expect(wantsColours({})).toBe(true);
    expect(wantsColours({ NO_COLOR: '' })).toBe(true);
    expect(wantsColours({ NO_COLOR: '1' })).toBe(false);
    expect(wantsColours({ TERM: 'dumb' })).toBe(false);
  });
});

describe('the status line', () => {
  function terminal(columns = 20) {
    const parts: string[] = [];
    return {
      parts,
      line: new StatusLine(
        (text) => void parts.push(text),
        () => columns,
      ),
    };
  }

  it('is replaced in place, stays below what is written, and is gone when it is empty', () => {
    const { line, parts } = terminal();
    line.write('one\n');
    line.show('waits');
    line.show('waits');
    line.write('two\n');
    line.show('');
    line.write('three\n');
    expect(parts).toEqual(['one\n', '\r\x1b[2Kwaits', '\r\x1b[2Ktwo\nwaits', '\r\x1b[2K', 'three\n']);
  });

  it('is cut at the width of the terminal, and holds no control characters', () => {
    const { line, parts } = terminal(8);
    line.show('a\x1bb\ncdefghij');
    expect(parts).toEqual(['\r\x1b[2Ka?b?cde']);
  });

  it('writes nothing when there is nothing to show', () => {
    const { line, parts } = terminal();
    line.show('');
    expect(parts).toEqual([]);
  });
});
