import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jsonPatch from 'fast-json-patch';
import { type CallApiServer, callApiServer } from '../../src/injector/certificate/api-server.ts';
import { createAuthority } from '../servers/certificates.ts';

/** The part of an API server that the injector uses: one MutatingWebhookConfiguration with optimistic locking. */
export interface WebhookServer extends AsyncDisposable {
  readonly call: CallApiServer;
  readonly port: number;
  /** Has the token and the CA of a service account. */
  readonly accountDir: string;
  /** The bundles of the webhooks, decoded. */
  bundles(): readonly string[];
  /** Writes the object again without a bundle, as Helm or Argo CD may. */
  reset(): void;
  /** Answers each request with this status; undefined: as it should. */
  fail(status: number | undefined): void;
  /** Runs before the next patch is applied. */
  beforePatch(act: () => void): void;
  readonly patches: number;
  readonly tokens: readonly string[];
}

export async function startWebhookServer(): Promise<WebhookServer> {
  const dir = mkdtempSync(join(tmpdir(), 'pannier-account-'));
  const authority = createAuthority('api server');
  const { certificatePem, keyPem } = authority.issue({ commonName: 'kubernetes', altNames: ['127.0.0.1'] });
  writeFileSync(join(dir, 'token'), 'the-token\n');
  writeFileSync(join(dir, 'ca.crt'), authority.certificatePem);
  // biome-ignore lint/suspicious/noExplicitAny: an object of Kubernetes
  let object: any;
  let version = 0;
  let failing: number | undefined;
  let before: (() => void) | undefined;
  let patches = 0;
  const tokens: string[] = [];
  const reset = () => {
    version += 1;
    const webhooks = ['fail.pannier.dev', 'ignore.pannier.dev'].map((name) => ({
      name,
      clientConfig: { service: {} },
    }));
    object = { metadata: { name: 'pannier-injector', resourceVersion: String(version) }, webhooks };
  };
  reset();
  const server = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      tokens.push(request.headers.authorization ?? '');
      const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
      if (failing !== undefined) return answer(failing, {});
      if (request.url !== '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/pannier-injector') {
        return answer(404, {});
      }
      if (request.method === 'GET') return answer(200, object);
      if (request.headers['content-type'] !== 'application/json-patch+json') return answer(415, {});
      before?.();
      before = undefined;
      try {
        const patch = JSON.parse(Buffer.concat(chunks).toString());
        object = jsonPatch.applyPatch(structuredClone(object), patch, true, false).newDocument;
      } catch {
        return answer(422, {}); // as the API server answers a `test` that fails
      }
      patches += 1;
      version += 1;
      object.metadata.resourceVersion = String(version);
      return answer(200, object);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    call: callApiServer({ host: '127.0.0.1', port, accountDir: dir }),
    port,
    accountDir: dir,
    bundles: () =>
      // biome-ignore lint/suspicious/noExplicitAny: an object of Kubernetes
      object.webhooks.map(({ clientConfig }: any) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString()),
    reset,
    fail: (status) => {
      failing = status;
    },
    beforePatch: (act) => {
      before = act;
    },
    get patches() {
      return patches;
    },
    tokens,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
