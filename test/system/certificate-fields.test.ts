import { describe, expect, it } from 'vitest';
import { runAgent } from './agent.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();

interface Parts {
  readonly files: object;
  /** Further keys of the output. */
  readonly output?: object;
  /** Further sections. */
  readonly sections?: object;
}

/** Validates one output, with a certificate of each kind of source. */
async function validate({ files, output = {}, sections = {} }: Parts) {
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
    outputs: { shop: { dir: './out', files, ...output } },
    ...sections,
  });
  const agent = await runAgent(['validate', '-c', config]);
  return { status: agent.status, told: agent.output(), config };
}

describe('pannier validate on fields of certificates', () => {
  it('tells of each that no certificate has, with what was meant and where', async () => {
    const { status, told } = await validate({
      files: {
        a: { content: '{{tls.key}}\n{{web.privatekey}} {{stored.chain}} {{app.anything}}' },
        b: { format: 'raw', from: 'web.cert' },
        c: { content: '{{pair.cert}} {{pair.own}}', with: { pair: 'tls' }, values: { 'pair.own': 'x' } },
      },
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
      files: {
        a: { content: '{{pem tls.certificate tls.caChain tls.privateKey}}{{#if web.profile}}x{{/if}}' },
        b: { format: 'raw', from: 'stored.issuingCa' },
        c: { content: '{{app.anything}} {{web.expiration}} {{root}}', with: { root: 'tls.caChain.0' } },
        d: { format: 'pkcs12', from: 'tls', password: 'app.password' },
      },
      output: {
        reload: [{ http: { url: 'http://127.0.0.1:1/', headers: { serial: '{{tls.serialNumber}}' } } }],
      },
    });
    expect([status, told]).toEqual([0, expect.stringContaining('valid: 4 secrets, 1 output')]);
  });

  it('looks wherever a field can be named, and doctor tells the same', async () => {
    const { status, told, config } = await validate({
      files: {
        a: { content: '{{#if one}}{{two.x}}{{/if}}', with: { one: 'tls.one', 'two.x': 'web.two' } },
        b: { format: 'pkcs12', from: 'tls', password: 'stored.pass' },
      },
      output: {
        reload: [{ http: { url: 'http://127.0.0.1:1/', headers: { a: '{{tls.nope}}' }, body: '{{web.body}}' } }],
        verify: { http: { url: 'http://127.0.0.1:1/', headers: { a: '{{stored.asked}}' } } },
      },
      sections: {
        exec: { command: ['true'], env: { A: '{{tls.inside}}' } },
        sds: { socket: './sds.sock', secrets: { s: { generic: 'tls.served' }, t: { trust: 'web', crl: 'web.list' } } },
      },
    });
    const problems = [
      'outputs.shop.files.a.with: tls is a certificate, which has no field one',
      'outputs.shop.files.a.with: web is a certificate, which has no field two',
      'outputs.shop.files.b.password: stored is a certificate, which has no field pass',
      'exec.env.A, content:1:3: tls is a certificate, which has no field inside',
      'outputs.shop.reload[0].http.headers.a, text:1:3: tls is a certificate, which has no field nope',
      'outputs.shop.reload[0].http.body, text:1:3: web is a certificate, which has no field body',
      'outputs.shop.verify.http.headers.a, text:1:3: stored is a certificate, which has no field asked',
      'sds.secrets.s: tls is a certificate, which has no field served',
      'sds.secrets.t: web is a certificate, which has no field list',
    ];
    for (const problem of problems) expect(told).toContain(problem);
    expect([status, told]).toEqual([2, expect.stringMatching(/^9 problems$/m)]);
    const doctor = await runAgent(['doctor', '-c', config, '--json', '--timeout', '1s']);
    const checks: readonly { check: string; state: string; place: string; seen: string }[] = JSON.parse(
      doctor.stdout(),
    );
    const failed = checks.filter(({ check, state }) => check === 'template' && state === 'failure');
    expect(failed.map(({ place, seen }) => `${place}: ${seen}`)).toEqual(
      problems.map((one) => expect.stringContaining(one)),
    );
  });
});
