import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend, Want } from '../../../src/backend/backend.ts';
import type { BackendContext } from '../../../src/backend/context.ts';
import type {
  ClusterAccess,
  KubernetesBackendConfig,
  KubernetesRequest,
} from '../../../src/backend/kubernetes/config/config.ts';
import { openKubernetesBackend } from '../../../src/backend/kubernetes/open.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { setUrgency, URGENCY } from '../../../src/base/urgency.ts';
import { type Fields, isSecret } from '../../../src/base/value.ts';
import { type FakeApiServer, startFakeApiServer } from './fake-api-server.ts';

/** A fake API server, a token in a file, and a backend that reads there. */
export interface KubePlace extends AsyncDisposable {
  readonly server: FakeApiServer;
  readonly backend: Backend;
  readonly tokenFile: string;
  readonly dir: string;
  readonly facts: Fact[];
  /** What the backend was opened with, without a namespace. */
  readonly config: Omit<KubernetesBackendConfig, 'namespace'>;
  readonly context: BackendContext;
}

export interface KubeOptions {
  readonly access?: Partial<ClusterAccess>;
  readonly config?: Partial<KubernetesBackendConfig>;
  readonly context?: Partial<BackendContext>;
}

export async function openKubePlace({ access, config, context }: KubeOptions = {}): Promise<KubePlace> {
  const server = await startFakeApiServer();
  const dir = await mkdtemp(join(tmpdir(), 'pannier-kubernetes-'));
  const tokenFile = join(dir, 'token');
  await writeFile(tokenFile, 'token-1');
  const facts: Fact[] = [];
  const base = {
    kind: 'kubernetes',
    name: 'k8s',
    timeoutMs: 2_000,
    access: { from: 'cluster', address: server.address, tokenFile, ...access },
  } as const;
  const own: BackendContext = {
    clock: systemClock,
    random: () => 0,
    emit: (fact) => facts.push(fact),
    env: {},
    version: '0',
    kept: new Map(),
    ...context,
  };
  const backend = await openKubernetesBackend({ ...base, namespace: 'shop', ...config }, own);
  return {
    server,
    backend,
    tokenFile,
    dir,
    facts,
    config: base,
    context: own,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    },
  };
}

export function wantOf(object: string, more: Partial<KubernetesRequest> = {}): Want {
  const request: KubernetesRequest = { kind: 'kubernetes-object', resource: 'secrets', object, ...more };
  const key = request.resource === 'secrets' ? 'kubernetesSecret' : 'configMap';
  const id = JSON.stringify(request);
  return { id, backend: 'k8s', request, place: `secrets.${object}.${key}`, refreshMs: 300_000, optional: false };
}

/** The signal of a fetch that somebody asked for, or of a poll. */
export function signalOf(urgency: keyof typeof URGENCY = 'first'): AbortSignal {
  const { signal } = new AbortController();
  setUrgency(signal, URGENCY[urgency]);
  return signal;
}

/** Texts as they are, and bytes as bytes. */
export function plain(fields: Fields): Readonly<Record<string, unknown>> {
  const shown = [...fields].map(([name, value]) => {
    if (!isSecret(value)) return [name, value];
    return [name, value.type === 'bytes' ? value.exposeBytes('file') : value.exposeText('file')];
  });
  return Object.fromEntries(shown);
}
