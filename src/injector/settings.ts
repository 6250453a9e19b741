import { exceeds } from './pod/amount.ts';

/** What the command line of the injector says for all pods. */
export interface InjectorDefaults {
  readonly image: string;
  readonly address?: string;
  readonly authMount?: string;
  readonly audience?: string;
  readonly caConfigMap?: string;
}

/** How the agent runs: as a native sidecar, as an init container that ends, or as such a one and a plain container. */
export type Mode = 'sidecar' | 'init' | 'both';

/** Resources of a container. */
export interface Amounts {
  readonly cpu?: string;
  readonly memory?: string;
  readonly 'ephemeral-storage'?: string;
}

/** A volume of the pod or a Secret that the agent's container mounts too. */
export interface ExtraMount {
  /** Absent: the volume is in the pod already. */
  readonly secretName?: string;
  readonly volume: string;
  readonly path: string;
}

/** What the annotations of one pod say about its containers and volumes; absent: the default holds. */
export interface PodSettings {
  readonly mode?: Mode;
  /** Whether the application waits for the files of a sidecar. */
  readonly waits: boolean;
  readonly order?: 'before' | 'after';
  readonly containers?: readonly string[];
  readonly image: string;
  /** Where files are when the configuration does not say it to the injector. */
  readonly volumePaths?: readonly string[];
  readonly sizeLimit: string;
  readonly requests: Amounts;
  readonly limits: Amounts;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly hasSecurityContext: boolean;
  readonly audience?: string;
  readonly tokenExpirySeconds: number;
  readonly sharesProcesses?: boolean;
  readonly metricsPort?: number;
  readonly startWithinSeconds: number;
  readonly variables: readonly { readonly name: string; readonly key: string }[];
  readonly envFile?: string;
  /** A ConfigMap whose `ca.crt` is mounted beside the configuration. */
  readonly caConfigMap?: string;
  readonly extraMounts: readonly ExtraMount[];
  /** A container whose mounts the agent gets too. */
  readonly copiesMountsOf?: string;
  /** Variables of the agent's container. */
  readonly env: Readonly<Record<string, string>>;
}

/** What the annotations of one prefix say. */
export type SaidSettings = Partial<PodSettings>;

/** What holds when nothing else is said. */
export const LIMIT_OF_MEMORY = '128Mi';

/** The settings of a pod; of two annotations for one thing, the one that comes later in `said` wins. */
export function completed(defaults: InjectorDefaults, ...said: readonly SaidSettings[]): PodSettings {
  const standard: PodSettings = {
    waits: true,
    image: defaults.image,
    sizeLimit: '4Mi',
    requests: { cpu: '20m', memory: '64Mi' },
    limits: { memory: LIMIT_OF_MEMORY },
    hasSecurityContext: true,
    tokenExpirySeconds: 3600,
    startWithinSeconds: 120,
    variables: [],
    extraMounts: [],
    env: {},
    ...(defaults.audience === undefined ? {} : { audience: defaults.audience }),
    ...(defaults.caConfigMap === undefined ? {} : { caConfigMap: defaults.caConfigMap }),
  };
  const all: PodSettings = Object.assign({}, standard, ...said);
  const env: PodSettings['env'] = Object.assign({}, ...said.map((one) => one.env));
  return { ...all, ...fitting([standard, ...said]), env };
}

/**
 * Requests and limits of which no request is more than its limit: of the two, the one that comes earlier gives way. A
 * small limit makes the default request smaller, and a large request raises the default limit.
 */
function fitting(said: readonly SaidSettings[]): Pick<PodSettings, 'requests' | 'limits'> {
  const requests: Record<string, string> = {};
  const limits: Record<string, string> = {};
  for (const one of said) {
    for (const [name, amount] of Object.entries<string>({ ...one.requests })) {
      requests[name] = amount;
      if (limits[name] !== undefined && exceeds(amount, limits[name])) limits[name] = amount;
    }
    for (const [name, amount] of Object.entries<string>({ ...one.limits })) {
      limits[name] = amount;
      if (requests[name] !== undefined && exceeds(requests[name], amount)) requests[name] = amount;
    }
  }
  return { requests, limits };
}

/** Where the configuration comes from. */
export type ConfigSource =
  | VaultSource
  | { readonly kind: 'inline'; readonly text: string }
  | { readonly kind: 'map'; readonly name: string }
  | { readonly kind: 'parts'; readonly parts: ConfigParts };

/** Annotations of another injector. */
export interface VaultSource {
  readonly kind: 'vault';
  /** The one of the annotations, which are without it. */
  readonly prefix: string;
  readonly annotations: ReadonlyMap<string, string>;
  /** The pod names an image of its own, which may have a shell and programs. */
  readonly hasPrograms: boolean;
}

/** A configuration with one backend and one output, in annotations of their own. */
export interface ConfigParts {
  readonly address?: string;
  readonly namespace?: string;
  readonly authMount?: string;
  readonly role?: string;
  readonly dir: string;
  /** YAML, by name. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, string>;
  readonly reload?: string;
}

/** Where the agent's container has its configuration, its token and the CA of the backend. */
export const CONFIG_DIR = '/etc/pannier';
export const TOKEN_FILE = `${CONFIG_DIR}/token`;
export const CA_FILE = `${CONFIG_DIR}/ca.crt`;

/** The directory of the agent's own sockets. */
export const RUN_DIR = '/run/pannier';
export const HEALTH_SOCKET = `${RUN_DIR}/health.sock`;

export const DEFAULT_DIR = '/run/secrets/pannier';
