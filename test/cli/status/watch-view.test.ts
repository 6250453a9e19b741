import { describe, expect, it } from 'vitest';
import { paint } from '../../../src/cli/status/watch/line.ts';
import { Screen } from '../../../src/cli/status/watch/screen.ts';
import { barOf, linesOf, type View } from '../../../src/cli/status/watch/view.ts';
import type { SecretStatus, Status } from '../../../src/deliver/api/status.ts';

const NOW = '2026-01-01T12:00:00.000Z';
const nowMs = Date.parse(NOW);
const later = (ms: number) => new Date(nowMs + ms).toISOString();

const secret = (name: string, more: Partial<SecretStatus> = {}): SecretStatus => {
  return { name, backend: 'bao', kind: 'vault-kv', optional: false, state: 'fresh', ...more };
};

function statusWith(more: Partial<Status> = {}): Status {
  return {
    version: '1.2.3',
    bootId: 'boot',
    startedAt: later(-3_600_000),
    now: NOW,
    configuration: { files: [], readAt: NOW, refused: [] },
    backends: [{ name: 'bao', kind: 'vault', login: { method: 'token', state: 'live', endsAt: later(90_000) } }],
    secrets: [secret('app', { life: 'none', fetchedAt: later(-30_000), nextAt: later(30_000), ageSeconds: 30 })],
    outputs: [{ name: 'shop', state: 'settled', secrets: ['app'], generation: 3 }],
    ...more,
  };
}

function textOf(more: Partial<View> = {}, columns = 80, rows = 30): string {
  const view: View = { status: statusWith(), nowMs, columns, rows, isUnicode: true, ...more };
  return linesOf(view)
    .map((line) => paint(line, columns, false).replace('\x1b[K', ''))
    .join('\n');
}

describe('the view of status --watch', () => {
  it('says in words whether all is well and what happens next', () => {
    const text = textOf();
    expect(text).toMatch(/^pannier 1\.2\.3 {2}✓ all is well {2}up 1h {2}12:00:00Z\n/);
    expect(text).toContain('next  poll of app in 30s, end of the login of bao in 1m30s\n');
  });

  it('gives no verdict of an agent that does not answer, but says what the last one was', () => {
    const why = { code: 'AGENT_SILENT', place: 'api.sock', seen: 'silent', hint: 'See its log.' };
    const text = textOf({ silent: { why, sinceMs: nowMs - 22_000 } });
    expect(text).toMatch(/^pannier 1\.2\.3 {2}• not known; last seen: all is well {2}up 1h/);
    expect(text).toContain('\n✕ no answer for 22s: silent (AGENT_SILENT)');
    expect(text).not.toContain('✓ all');
  });

  it('shows what needs attention first, with what to do', () => {
    const failure = { code: 'BACKEND_UNREACHABLE', place: 'backends.bao', seen: 'refused', hint: 'Look.' };
    const secrets = [secret('app'), secret('old', { state: 'stale', failure }), secret('gone', { state: 'expired' })];
    const text = textOf({ status: statusWith({ secrets }) });
    expect(text).toContain('✕ something is missing');
    expect(text).toContain('▲ secret old: refused (BACKEND_UNREACHABLE)\n    Look.\n');
    expect(text.match(/^(?:app|old|gone)(?= .*[✓▲✕])/gm)).toEqual(['gone', 'old', 'app']);
  });

  it('cuts no output or login that needs attention before one that is well', () => {
    const fine = Array.from({ length: 300 }, (_, at) => `fine${at}`);
    const failure = { code: 'BACKEND_UNREACHABLE', place: 'backends.away', seen: 'refused', hint: 'Look.' };
    const status = statusWith({
      outputs: [
        ...fine.map((name) => ({ name, state: 'settled' as const, secrets: ['app'], generation: 3 })),
        { name: 'drifted', state: 'settled', secrets: ['app'], generation: 3, drift: failure },
        { name: 'without', state: 'waiting', secrets: ['none'], missing: ['none'] },
      ],
      backends: [
        ...fine.map((name) => ({ name, kind: 'vault' as const, login: { method: 'token', state: 'live' as const } })),
        { name: 'away', kind: 'file', failure },
        { name: 'loggedout', kind: 'vault', login: { method: 'token', state: 'dead' } },
      ],
    });
    const lines = textOf({ status, rows: 40 }).split('\n');
    const after = (title: string) => lines.slice(lines.findIndex((line) => line.startsWith(title)) + 1);
    const namesAfter = (title: string) =>
      after(title)
        .slice(0, 3)
        .map((line) => line.split(' ')[0]);
    expect(namesAfter('OUTPUTS')).toEqual(['without', 'drifted', 'fine0']);
    expect(namesAfter('LOGINS')).toEqual(['loggedout', 'away', 'fine0']);
  });

  it.each([1, 3, 8, 12, 24])('has %i rows at most, and says what does not fit', (rows) => {
    const secrets = Array.from({ length: 500 }, (_, at) => secret(`s${at}`));
    const lines = textOf({ status: statusWith({ secrets }), rows }, 60).split('\n');
    expect(lines.length).toBeLessThanOrEqual(rows);
    if (rows >= 12) expect(lines.join('\n')).toMatch(/SECRETS .*\(\+\d+\)/);
  });

  it('keeps within the width, and lets no name control the terminal', () => {
    const status = statusWith({ secrets: [secret(`\x1b[2J${'long'.repeat(60)}`)] });
    for (const columns of [20, 60, 200]) {
      for (const line of textOf({ status }, columns).split('\n')) {
        expect([...line].length).toBeLessThanOrEqual(columns);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what the pattern is for
        expect(line).not.toMatch(/[\x00-\x1f]/);
      }
    }
  });

  it('is ASCII where the terminal has nothing else', () => {
    expect(textOf({ isUnicode: false }).replaceAll('…', '')).toMatch(/^[\n -~]*$/);
  });

  it.each([
    [0, '████████'],
    [50, '████░░░░'],
    [99.9, '█░░░░░░░'],
    [100, '░░░░░░░░'],
    [150, '░░░░░░░░'],
  ])('a bar after %d % of a life shows what is left', (percent, bar) => {
    const lease = secret('db', { life: 'lease', changedAt: NOW, endsAt: later(100_000), nextAt: later(60_000) });
    expect(barOf(lease, nowMs + percent * 1000, 8, true)).toBe(bar);
  });
});

describe('the screen of status --watch', () => {
  it('writes a frame once, in one piece, and clears the end of a line only where there is one', () => {
    const written: string[] = [];
    const terminal = { columns: 5, rows: 2, write: (text: string) => void written.push(text) };
    const screen = new Screen(terminal, true);
    screen.show([[['not open', 'plain']]]);
    screen.open();
    for (let at = 0; at < 3; at++) screen.show([[['ab', 'good']], [['12345', 'bad']], [['no room', 'plain']]]);
    screen.close();
    screen.close();
    expect(written.slice(1)).toEqual([
      '\x1b[?2026h\x1b[H\x1b[32mab\x1b[0m\x1b[K\r\n\x1b[31m12345\x1b[0m\x1b[?2026l',
      '\x1b[?7h\x1b[?25h\x1b[?1049l',
    ]);
  });
});
