import { CONFIG_DIR, HEALTH_SOCKET, type Mode, type PodSettings, RUN_DIR } from '../settings.ts';
import type { JsonMap } from './json.ts';
import type { Users } from './users.ts';

/** The names of the containers that are added. */
export const AGENT = 'pannier';
export const INIT_AGENT = 'pannier-init';

/** The names of the volumes that are added; further directories of outputs have a number. */
export const CONFIG_VOLUME = 'pannier-config';
export const RUN_VOLUME = 'pannier-run';
export const SECRETS_VOLUME = 'pannier-secrets';

/** A volume of an output's directory. */
export interface SecretsVolume {
  readonly name: string;
  readonly path: string;
}

export interface AgentParts {
  readonly settings: PodSettings;
  readonly users: Users;
  readonly secrets: readonly SecretsVolume[];
  /** Mounts that were copied from another container. */
  readonly copiedMounts: readonly unknown[];
  /** Where the agent answers probes. Absent: the configuration says it. */
  readonly health?: 'socket' | 'port' | undefined;
}

/** The containers of the agent: `first` among the init containers, `beside` among the others. */
export function agentContainers(mode: Mode, parts: AgentParts): { readonly first: JsonMap; readonly beside?: JsonMap } {
  const init = {
    ...container(INIT_AGENT, parts),
    args: ['init', '--timeout', `${parts.settings.startWithinSeconds}s`],
  };
  if (mode === 'init') return { first: init };
  const run = { ...container(AGENT, parts), args: ['run'], ...served(parts), ...livenessOf(parts) };
  if (mode === 'both') return { first: init, beside: run };
  return { first: { ...run, restartPolicy: 'Always', ...startupOf(parts) } };
}

function container(name: string, { settings, users, secrets, copiedMounts, health }: AgentParts): JsonMap {
  const { requests, limits } = settings;
  const socket = { port: `127.0.0.1:${settings.metricsPort}`, socket: HEALTH_SOCKET };
  const env = {
    PANNIER_CONFIG: CONFIG_DIR,
    ...(health === undefined || name === INIT_AGENT ? {} : { PANNIER_SOCKET: socket[health] }),
    ...settings.env,
  };
  return {
    name,
    image: settings.image,
    env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
    resources: { requests, limits },
    ...(settings.hasSecurityContext ? { securityContext: restricted(users) } : {}),
    volumeMounts: [
      ...secrets.map(({ name: volume, path }) => ({ name: volume, mountPath: path })),
      { name: CONFIG_VOLUME, mountPath: CONFIG_DIR, readOnly: true },
      ...(name === INIT_AGENT ? [] : [{ name: RUN_VOLUME, mountPath: RUN_DIR }]),
      ...settings.extraMounts.map(({ volume, path }) => ({ name: volume, mountPath: path, readOnly: true })),
      ...copiedMounts,
    ],
  };
}

/** What the Pod Security Standard `restricted` asks for. */
const restricted = ({ uid, gid }: Users): JsonMap => ({
  runAsUser: uid,
  runAsGroup: gid,
  runAsNonRoot: uid !== 0,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
});

/** The application starts when its files are there; an agent without them is started again. */
function startupOf({ settings }: AgentParts): JsonMap {
  if (!settings.waits) return {};
  return {
    startupProbe: {
      exec: { command: ['pannier', 'probe', 'startup'] },
      periodSeconds: 1,
      timeoutSeconds: 5,
      failureThreshold: settings.startWithinSeconds,
    },
  };
}

function served({ settings: { metricsPort }, health }: AgentParts): JsonMap {
  return health === 'port' ? { ports: [{ name: 'pannier', containerPort: metricsPort }] } : {};
}

function livenessOf({ settings: { metricsPort }, health }: AgentParts): JsonMap {
  if (health !== 'port') return {};
  return { livenessProbe: { httpGet: { path: '/livez', port: metricsPort }, periodSeconds: 10, failureThreshold: 3 } };
}
