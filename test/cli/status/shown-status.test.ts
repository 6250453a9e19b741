import { describe, expect, it } from 'vitest';
import { readStatus } from '../../../src/cli/status/read-status.ts';
import { shownStatus, statesOf } from '../../../src/cli/status/shown-status.ts';
import type { Status } from '../../../src/deliver/api/status.ts';

const failure = { code: 'BACKEND_UNREACHABLE', place: 'backends.bao', seen: 'connection refused', hint: 'Check it.' };

const status: Status = {
  version: '1.2.3',
  bootId: 'b',
  startedAt: '2026-01-01T00:00:00.000Z',
  now: '2026-01-01T01:00:00.500Z',
  configuration: { files: ['/etc/pannier.yaml'], readAt: '2026-01-01T00:59:00.000Z', refused: [] },
  backends: [
    {
      name: 'bao',
      kind: 'vault',
      address: 'https://bao',
      login: { method: 'kubernetes', state: 'live', endsAt: '2026-01-01T02:00:00.000Z' },
    },
  ],
  secrets: [
    {
      name: 'app',
      backend: 'bao',
      kind: 'vault-kv',
      optional: false,
      state: 'stale',
      version: '7',
      etag: '"b-1"',
      fetchedAt: '2026-01-01T00:50:00.000Z',
      ageSeconds: 600,
      life: 'none',
      nextAt: '2026-01-01T01:00:12.000Z',
      failure,
    },
    { name: 'flag', backend: 'bao', kind: 'vault-kv', optional: true, state: 'absent' },
  ],
  outputs: [
    { name: 'shop', dir: '/run/shop', state: 'settled', secrets: ['app'], generation: 12 },
    { name: 'web', dir: '/run/web', state: 'waiting', secrets: ['db'], missing: ['db'] },
  ],
};

describe('the status for people', () => {
  it('says "now" of what is due, in a sentence as in a column', () => {
    const past = '2026-01-01T01:00:00.000Z';
    const [backend] = status.backends;
    const [app] = status.secrets;
    const [shop] = status.outputs;
    if (backend === undefined || app === undefined || shop === undefined) throw new Error('the status has one of each');
    const shown = shownStatus({
      ...status,
      backends: [{ ...backend, failure, circuit: { state: 'open', probeAt: past } as never }],
      secrets: [{ ...app, nextAt: past }],
      outputs: [{ ...shop, reloadAt: past }],
    });
    expect(shown).toContain('asked again now');
    expect(shown).toContain('reload due now');
    expect(shown).toMatch(/^app .* now /m);
    expect(shown).not.toContain('over');
  });

  it('is a line about the agent and a table each of backends, secrets and outputs', () => {
    expect(shownStatus(status).split('\n')).toEqual([
      'pannier 1.2.3, up 1h, configuration of 1m ago: /etc/pannier.yaml',
      '',
      'BACKEND  KIND   LOGIN              ENDS IN',
      'bao      vault  live (kubernetes)  59m59s',
      '',
      'SECRET  STATE              AGE  ENDS IN  NEXT IN  VERSION  WHY',
      'app     stale              10m  -        11s      7        connection refused (BACKEND_UNREACHABLE)',
      'flag    absent (optional)  -    -        -        -',
      '',
      'OUTPUT  STATE    GENERATION  DIR        WHY',
      'shop    settled  12          /run/shop',
      'web     waiting  -           /run/web   waits for db',
      '',
    ]);
  });

  it('has the days that each certificate has left, and what Envoy is served', () => {
    const names = ['DNS:shop.svc', 'IP:10.0.0.1'];
    const [notBefore, notAfter] = ['2025-12-01T00:00:00.000Z', '2026-01-04T13:00:00.500Z'];
    const certificate = { serial: '0a:1b', subject: 'CN=shop', issuer: 'CN=root', notBefore, notAfter, names };
    const tls = { name: 'tls', backend: 'bao', kind: 'vault-certificate', optional: false, state: 'fresh' } as const;
    const sds = {
      streams: 2,
      onDemand: { names: 7, max: 1000 },
      secrets: [
        { name: 'server_cert', kind: 'certificate', secrets: ['tls'], state: 'ready', version: 'v1', streams: 2 },
        {
          name: 'token',
          kind: 'generic',
          secrets: ['app'],
          state: 'missing',
          streams: 0,
          refused: { at: status.now, version: 'v0', node: 'envoy', seen: 'the client says: bad\x1b[2J' },
        },
      ],
    } satisfies Status['sds'];
    const shown = {
      ...status,
      secrets: [{ ...tls, nextAt: '2026-01-02T01:00:00.500Z', certificate }],
      outputs: [],
      sds,
    };
    expect(shownStatus(shown).split('\n').slice(7)).toEqual([
      '',
      'CERTIFICATE  DAYS LEFT  NOT AFTER            RENEWAL IN  SERIAL  ISSUER   NAMES',
      'tls          3.5        2026-01-04T13:00:00  1d          0a:1b   CN=root  DNS:shop.svc IP:10.0.0.1',
      '',
      'sds: 2 streams, 7 of at most 1000 names on demand',
      'SDS NAME     KIND         STATE             STREAMS  VERSION  WHY',
      'server_cert  certificate  ready             2        v1',
      'token        generic      missing, refused  0        -        the client says: bad?[2J',
      '',
    ]);
    expect(readStatus(JSON.stringify(shown), 'x')).toEqual(shown);
  });

  it('tells why a later configuration was refused', () => {
    const refused = { ...status, configuration: { ...status.configuration, refused: [failure] } };
    const [, line, why] = shownStatus(refused).split('\n').slice(1);
    expect([line, why]).toEqual(['a later configuration was refused:', '  connection refused (BACKEND_UNREACHABLE)']);
  });

  it('shows nothing that a terminal would take for a command', () => {
    const seen = `a\x1b[2Jb\u202ec\r\nd\x9be`;
    const wild = { ...status, outputs: [{ ...status.outputs[0], failure: { ...failure, seen } }] } as Status;
    expect(shownStatus(wild)).toContain('a?[2Jb?c??d?e (BACKEND_UNREACHABLE)');
  });

  it('is only the line about the agent when nothing is configured', () => {
    const empty = { ...status, backends: [], secrets: [], outputs: [] };
    expect(shownStatus(empty)).toBe('pannier 1.2.3, up 1h, configuration of 1m ago: /etc/pannier.yaml\n');
  });

  it('counts as changed when a state has changed, and not when only time has passed', () => {
    const [app] = status.secrets;
    const later = {
      ...status,
      now: '2026-01-01T02:00:00.000Z',
      secrets: [{ ...app, ageSeconds: 9 }, status.secrets[1]],
    };
    const other = { ...status, secrets: [{ ...app, state: 'fresh' }, status.secrets[1]] };
    expect(statesOf(later as Status)).toBe(statesOf(status));
    expect(statesOf(other as Status)).not.toBe(statesOf(status));
  });
});

describe('the document of an agent', () => {
  it('is read although it has unknown keys', () => {
    expect(readStatus(JSON.stringify({ ...status, later: 1 }), 'x')).toEqual(status);
  });

  it.each(['', 'nope', '[]', '{"version":1}', '{}'])('%j is not one', (text) => {
    expect(() => readStatus(text, '/run/a')).toThrow(
      /^\/run\/a: the answer is not the status of an agent \(AGENT_ANSWER\)/,
    );
  });
});
