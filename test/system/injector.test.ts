import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startWebhookServer } from '../injector/api-server.helpers.ts';
import { agentOf, type Pod, patched, reviewOf } from '../injector/review.helpers.ts';
import { ensureOpenBao } from '../servers/cache.ts';
import { createAuthority } from '../servers/certificates.ts';
import { findFreePort } from '../servers/free-port.ts';
import { eventually, type Place, runAgent, startAgent } from './agent.helpers.ts';
import { useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();
const CANARY = 'c4n4ry-injector';

/** Starts `pannier injector`; the function asks it about a pod and gives the patched pod, or the denial. */
async function injector(place: Place, args: readonly string[] = []) {
  const authority = createAuthority('injector');
  const { certificatePem, keyPem } = authority.issue({ commonName: 'injector', altNames: ['127.0.0.1'] });
  const [cert, key] = [join(place.dir, 'tls.crt'), join(place.dir, 'tls.key')];
  writeFileSync(cert, certificatePem);
  writeFileSync(key, keyPem);
  const port = await findFreePort();
  const files = ['--tls-cert-file', cert, '--tls-key-file', key];
  const agent = startAgent(['injector', '--listen', `127.0.0.1:${port}`, ...files, ...args]);
  scene.keep({ [Symbol.asyncDispose]: async () => void (await agent.stop()) });
  await agent.waitFor('injector-listening');
  const ask = (pod: Pod) =>
    new Promise<Pod>((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json' };
      const to = { host: '127.0.0.1', port, ca: authority.certificatePem, agent: false, headers };
      const sent = request({ ...to, method: 'POST', path: '/mutate' }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const review = JSON.parse(Buffer.concat(chunks).toString());
          const { allowed, status } = review.response;
          resolve(allowed ? patched(pod, { review } as never) : status.message);
        });
      });
      sent.on('error', reject);
      sent.end(JSON.stringify(reviewOf(pod)));
    });
  return { agent, ask };
}

/** The configuration that the agent of a pod reads, as a file. */
function configOf(place: Place, pod: Pod, paths: Readonly<Record<string, string>> = {}): string {
  let text: string = pod.metadata.annotations['pannier.dev/effective-config'];
  for (const [from, to] of Object.entries(paths)) text = text.replaceAll(from, to);
  const path = join(place.dir, 'pannier.yaml');
  writeFileSync(path, text);
  return path;
}

const podOf = (annotations: Readonly<Record<string, string>>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { generateName: 'shop-', annotations },
  spec: { containers: [{ name: 'shop', image: 'shop:1' }] },
});

describe('pannier injector', () => {
  it('gives a Deployment of vault-k8s with fifteen annotations the bytes that bao agent renders', async () => {
    const place = await scene.place();
    const { bao, tokenFile, putSecret } = world();
    await putSecret('app', { user: 'shop', password: `${CANARY}"'<&`, port: 5432 });
    await bao.api('POST', 'kv1/legacy', { host: 'db.svc', weird: 'a=b c' });
    const out = join(place.dir, 'vault', 'secrets');
    const config = [
      '{{- with secret "secret/data/shop/app" -}}',
      'export DB_USER="{{ .Data.data.user }}"',
      'export DB_PASSWORD="{{ .Data.data.password }}"',
      '{{ if eq .Data.data.user "shop" }}export IS_SHOP=1{{ end }}',
      '{{- end }}',
      '',
    ].join('\n');
    const legacy = '<< with secret "kv1/legacy" >><< range $k, $v := .Data >><< $k >>: << $v >>\n<< end >><< end >>';
    const annotations = {
      'agent-inject': 'true',
      'agent-inject-status': 'update',
      role: 'shop',
      service: bao.address,
      'auth-path': 'auth/kubernetes',
      'auth-config-token-path': tokenFile,
      'secret-volume-path': out,
      'agent-inject-secret-config': 'secret/data/shop/app',
      'agent-inject-template-config': config,
      'agent-inject-perms-config': '0640',
      'agent-inject-secret-legacy': 'kv1/legacy',
      'agent-inject-template-legacy': legacy,
      'agent-template-left-delim-legacy': '<<',
      'agent-template-right-delim-legacy': '>>',
      'agent-inject-file-legacy': 'legacy.txt',
      'agent-inject-secret-Plain': 'kv1/legacy',
      'agent-pre-populate-only': 'true',
      'agent-limits-mem': '96Mi',
      'agent-requests-cpu': '10m',
      'log-level': 'debug',
    };
    const named = Object.entries(annotations).map(([name, value]) => [`vault.hashicorp.com/${name}`, value]);
    const { ask } = await injector(place);
    const pod = await ask(podOf(Object.fromEntries(named)));
    expect(agentOf(pod)).toMatchObject({
      name: 'pannier-init',
      resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '96Mi' } },
    });
    expect(pod.spec.containers[0].volumeMounts).toEqual([{ name: 'pannier-secrets', mountPath: out, readOnly: true }]);
    const init = await scene.init(configOf(place, pod));
    expect([init.status, init.output()]).toEqual([0, expect.any(String)]);

    // What vault-k8s writes into VAULT_CONFIG for the same annotations.
    const theirs = join(place.dir, 'theirs');
    const standard = '{{ with secret "kv1/legacy" }}{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}\n{{ end }}{{ end }}';
    const template = (file: string, contents: string, more: object = {}) => ({
      contents,
      destination: join(theirs, file),
      left_delimiter: '{{',
      right_delimiter: '}}',
      ...more,
    });
    mkdirSync(theirs);
    writeFileSync(
      join(place.dir, 'vault.json'),
      JSON.stringify({
        vault: [{ address: bao.address }],
        auto_auth: {
          method: [
            {
              type: 'kubernetes',
              mount_path: 'auth/kubernetes',
              config: [{ role: 'shop', token_path: tokenFile }],
            },
          ],
        },
        exit_after_auth: true,
        template: [
          template('config', config, { perms: '0640' }),
          template('legacy.txt', legacy, { left_delimiter: '<<', right_delimiter: '>>' }),
          template('plain', standard),
        ],
        template_config: [{ exit_on_retry_failure: true }],
      }),
    );
    // vault-k8s sets the address as a variable of the container too.
    const env = { PATH: '/usr/bin:/bin', VAULT_ADDR: bao.address, BAO_ADDR: bao.address, HOME: place.dir };
    const theirConfig = `-config=${join(place.dir, 'vault.json')}`;
    await promisify(execFile)(await ensureOpenBao(), ['agent', theirConfig], { env, timeout: 20_000 });
    const files = readdirSync(theirs).sort();
    expect(files).toEqual(['config', 'legacy.txt', 'plain']);
    for (const file of files) {
      expect([file, readFileSync(join(out, file), 'utf8')]).toEqual([file, readFileSync(join(theirs, file), 'utf8')]);
      expect(statSync(join(out, file)).mode & 0o777).toBe(statSync(join(theirs, file)).mode & 0o777);
    }
    expect(readFileSync(join(out, 'config'), 'utf8')).toContain(CANARY);
    expect(JSON.stringify(pod)).not.toContain(CANARY);
  });

  it('gives a pod an agent whose startup probe passes when the files are there', async () => {
    const place = await scene.place();
    const { bao, tokenFile, putSecret } = world();
    await putSecret('app', { user: 'shop' });
    const out = join(place.dir, 'out');
    const { ask, agent } = await injector(place, ['--address', bao.address]);
    const pod = await ask(
      podOf({
        'pannier.dev/inject': 'true',
        'pannier.dev/role': 'shop',
        'pannier.dev/secret-app': '{ kv: secret/shop/app }',
        'pannier.dev/file-app.env': '{ format: dotenv, from: app, case: upper }',
        'pannier.dev/volume-path': out,
      }),
    );
    expect(agent.output()).toContain('pod-injected');
    const { env, startupProbe } = agentOf(pod);
    expect(env).toContainEqual({ name: 'PANNIER_SOCKET', value: '/run/pannier/health.sock' });
    const paths = {
      '/etc/pannier/token': tokenFile,
      '/run/pannier': place.dir,
      'requireTmpfs: true': 'requireTmpfs: false',
    };
    scene.run(configOf(place, pod, paths));
    const probe = startupProbe.exec.command.slice(1);
    const socket = { env: { PANNIER_SOCKET: join(place.dir, 'health.sock') } };
    await eventually(async () => expect((await runAgent(probe, socket)).status).toBe(0));
    expect(readFileSync(join(out, 'app.env'), 'utf8')).toBe("USER='shop'\n");
  });

  it('says on one line what a pod lacks, and ends cleanly when it is told to stop', async () => {
    const place = await scene.place();
    const { ask, agent } = await injector(place);
    expect(await ask(podOf({ 'pannier.dev/inject': 'true', 'pannier.dev/rol': 'x' }))).toBe(
      'pannier.dev/rol is unknown; did you mean "role"?',
    );
    expect(await agent.stop()).toBe(0);
  });

  it('makes its certificate itself, and has it trusted as the service account of a directory', async () => {
    await using api = await startWebhookServer();
    const [port, env] = [await findFreePort(), { KUBERNETES_SERVICE_HOST: '127.0.0.1', HOSTNAME: 'one' }];
    const names = ['--webhook', 'pannier-injector', '--service', 'pannier-injector.pannier.svc'];
    const args = ['injector', '--listen', `127.0.0.1:${port}`, '--account-dir', api.accountDir, ...names];
    const agent = startAgent(args, { env: { ...env, KUBERNETES_SERVICE_PORT: String(api.port) } });
    scene.keep({ [Symbol.asyncDispose]: async () => void (await agent.stop()) });
    await eventually(() => expect(api.bundles()[0]).toContain('BEGIN CERTIFICATE'));
    const [ca] = api.bundles();
    const to = {
      host: '127.0.0.1',
      port,
      path: '/readyz',
      ca,
      servername: 'pannier-injector.pannier.svc',
      agent: false,
    };
    await eventually(async () => {
      const [answer] = (await once(request(to).end(), 'response')) as [IncomingMessage];
      answer.resume();
      expect(answer.statusCode).toBe(200);
    });
    expect(new Set(api.tokens)).toEqual(new Set(['Bearer the-token']));
  });

  it('without a certificate and without the names for one says which options are missing', async () => {
    const bare = await runAgent(['injector']);
    expect([bare.status, bare.stderr()]).toEqual([
      2,
      expect.stringMatching(/--webhook: .*\n--service: .*\n2 problems\n/),
    ]);
    const half = await runAgent(['injector', '--tls-cert-file', '/x']);
    expect(half.stderr()).toMatch(/^--tls-key-file: it is not named \(CONFIG_MISSING\)/);
    const outside = await runAgent(['injector', '--webhook', 'w', '--service', 's.n.svc']);
    expect(outside.stderr()).toMatch(/KUBERNETES_SERVICE_HOST/);
    const listen = await runAgent(['injector', '--listen', '8443']);
    expect(listen.stderr()).toMatch(/--listen: it is not HOST:PORT/);
  });

  it('does not start with what would deny each pod, and names it', async () => {
    const wrong = await runAgent(['injector', '--address', 'junk', '--image', 'a b', '--ca-config-map', 'A_b']);
    expect([wrong.status, wrong.stderr()]).toEqual([
      2,
      expect.stringMatching(/^--address: .*\n--image: .*\n--ca-config-map: .*\n3 problems\n/),
    ]);
  });
});
