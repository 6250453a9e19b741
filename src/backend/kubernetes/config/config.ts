import type { BackendConfig, SecretRequest } from '../../../config/config.ts';

/** A Kubernetes cluster, and as whom the agent reads there. */
export interface KubernetesBackendConfig extends BackendConfig {
  readonly kind: 'kubernetes';
  readonly timeoutMs: number;
  readonly access: ClusterAccess | KubeconfigAccess;
  /** The namespace of requests that name none. Absent: the namespace of the pod, or of the context. */
  readonly namespace?: string;
}

/** An API server by its address, and a token in a file: what every pod has. */
export interface ClusterAccess {
  readonly from: 'cluster';
  readonly address: string;
  readonly tokenFile: string;
  readonly caFile?: string;
  readonly serverName?: string;
  /** Holds the namespace of the pod. Absent: the agent runs in no pod of this cluster. */
  readonly namespaceFile?: string;
}

/** A context of a kubeconfig file. */
export interface KubeconfigAccess {
  readonly from: 'kubeconfig';
  readonly path: string;
  /** Absent: the current context of the file. */
  readonly context?: string;
}

/** The two kinds of objects that can be read, by the names that the API has for them. */
export type Resource = 'secrets' | 'configmaps';

/** One Secret or ConfigMap. */
export interface KubernetesRequest extends SecretRequest {
  readonly kind: 'kubernetes-object';
  readonly resource: Resource;
  readonly object: string;
  /** Absent: the namespace of the backend. */
  readonly namespace?: string;
  /** The keys that become fields. Absent: all. */
  readonly keys?: readonly string[];
}
