import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

/** `npm run audit` with npm's own client, against a registry that answers as it is told. */
async function audit(answer: RequestListener, ...argv: readonly string[]) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const cache = mkdtempSync(join(tmpdir(), 'pannier-npm-')); // npm keeps what it learnt of an advisory
  onTestFinished(() => rmSync(cache, { recursive: true, force: true }));
  const env = { ...process.env, npm_config_registry: registry, npm_config_cache: cache };
  return await new Promise<{ status: unknown; stdout: string }>((resolve) => {
    execFile('node', ['scripts/audit.ts', ...argv], { env }, (error, stdout) =>
      resolve({ status: error?.code ?? 0, stdout }),
    );
  });
}

/** Advisories about all versions of these packages. */
function advisories(about: Readonly<Record<string, string>>): RequestListener {
  const of = (severity: string) => [
    { id: 1, url: 'https://example.com', title: 'a test', severity, vulnerable_versions: '*' },
  ];
  const told = Object.fromEntries(Object.entries(about).map(([name, severity]) => [name, of(severity)]));
  return (request, response) => {
    request.resume();
    const isAsked = request.url?.endsWith('/security/advisories/bulk') === true;
    response.writeHead(isAsked ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isAsked ? told : {}));
  };
}

const silent: RequestListener = (request, response) => {
  request.resume();
  response.writeHead(404).end();
};

describe('npm run audit', () => {
  it('ends well without an answer of the registry, which says nothing about the code, but not with --strict', async () => {
    const seen = 'not audited: the registry gives no answer about vulnerabilities\n';
    expect(await audit(silent)).toEqual({ status: 0, stdout: seen });
    expect(await audit(silent, '--strict')).toEqual({ status: 2, stdout: seen });
  }, 60_000);

  it('fails for a serious vulnerability of what is bundled, and tells of others', async () => {
    expect(await audit(advisories({}), '--strict')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('bundled packages, 0 with known vulnerabilities, 0 of them serious'),
    });
    expect(await audit(advisories({ handlebars: 'high' }), '--strict')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('high: handlebars, which is in the bundle'),
    });
    expect(await audit(advisories({ handlebars: 'low', vitest: 'critical' }), '--strict')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('low: handlebars, which is in the bundle'),
    });
  }, 120_000);
});
