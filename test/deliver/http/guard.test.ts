import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { findHeaderProblem } from '../../../src/deliver/http/guard.ts';

function codeOf(isTcp: boolean, headers: Readonly<Record<string, string>>): string | undefined {
  const rawHeaders = Object.entries(headers).flat();
  return findHeaderProblem({ headers, rawHeaders } as unknown as IncomingMessage, isTcp, new Set())?.code;
}

describe('a request to a local listener', () => {
  it.each(['127.0.0.1:8207', '127.9.9.9', 'localhost:8207', '[::1]:8207', '[::1]', 'localhost'])(
    'over TCP may name this machine as %s',
    (host) => {
      expect(codeOf(true, { host })).toBeUndefined();
    },
  );

  it.each([
    'evil.example',
    'evil.example:8207',
    '127.0.0.1.evil.example',
    '10.0.0.1:8207',
    '',
    '[::2]:1',
    'localhost.x',
  ])('over TCP is refused when it names another host: "%s"', (host) => {
    expect(codeOf(true, { host })).toBe('API_HOST');
    expect(codeOf(false, { host })).toBeUndefined();
  });

  it.each([
    'Forwarded',
    'Via',
    'X-Forwarded',
    ...['For', 'Host', 'Proto', 'Port', 'Server', 'Prefix', 'Ssl', 'Client-Cert'].map((what) => `X-Forwarded-${what}`),
    'X-Original-Forwarded-For',
    'X-Original-URL',
    'X-Real-IP',
    'X-Client-IP',
    'True-Client-IP',
    'CF-Connecting-IP',
    'X-Envoy-External-Address',
  ])('is refused when it was passed on: %s', (name) => {
    expect(codeOf(true, { host: 'localhost', [name]: '' })).toBe('API_FORWARDED');
    expect(codeOf(false, { [name]: '1' })).toBe('API_FORWARDED');
  });
});
