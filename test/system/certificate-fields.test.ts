import { describe, expect, it } from 'vitest';
import { runAgent } from './agent.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();

/** Validates files of one output, with a certificate of each kind of source. */
async function validate(files: object) {
  const place = await scene.place();
  const config = await place.config({
    backends: {
      bao: { kind: 'vault', address: 'https://openbao.test:8200', auth: { method: 'token', tokenFile: './token' } },
      le: {
        kind: 'acme',
        directory: 'https://le.test/dir',
        accountKeyFile: './key',
        http01: { listen: '127.0.0.1:80' },
      },
    },
    secrets: {
      tls: { backend: 'bao', certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.test' } },
      web: { backend: 'le', acme: { names: ['shop.test'] } },
      stored: { backend: 'bao', kv: 'secret/tls', certificateFrom: { bundle: 'pem' } },
      app: { backend: 'bao', kv: 'secret/app' },
    },
    outputs: { shop: { dir: './out', files } },
  });
  const agent = await runAgent(['validate', '-c', config]);
  return { status: agent.status, told: agent.output() };
}

describe('pannier validate on fields of certificates', () => {
  it('tells of each that no certificate has, with what was meant and where', async () => {
    const { status, told } = await validate({
      a: { content: '{{tls.key}}\n{{web.privatekey}} {{stored.chain}} {{app.anything}}' },
      b: { format: 'raw', from: 'web.cert' },
      c: { content: '{{pair.cert}} {{pair.own}}', with: { pair: 'tls' }, values: { 'pair.own': 'x' } },
    });
    expect(status).toBe(2);
    for (const line of [
      /files\.a, content:1:3: tls is a certificate, which has no field key \(/,
      /files\.a, content:2:3: web is a certificate, which has no field privatekey; did you mean "privateKey"\?/,
      /files\.a, content:2:22: stored is a certificate, which has no field chain; did you mean "caChain"\?/,
      /files\.b\.from: web is a certificate, which has no field cert \(/,
      /files\.c, content:1:3: tls is a certificate, which has no field cert \(/,
    ])
      expect(told).toMatch(line);
    expect(told).toMatch(/^5 problems$/m);
  });

  it('is content with those that every certificate has, and with a field that may be missing', async () => {
    const { status, told } = await validate({
      a: { content: '{{pem tls.certificate tls.caChain tls.privateKey}}{{#if web.profile}}x{{/if}}' },
      b: { format: 'raw', from: 'stored.issuingCa' },
      c: { content: '{{app.anything}} {{web.expiration}}' },
    });
    expect([status, told]).toEqual([0, expect.stringContaining('valid: 4 secrets, 1 output')]);
  });
});
