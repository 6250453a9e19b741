import type { AgentConfig } from './config/agent-config.ts';
import type { SecretsVolume } from './pod/agent-containers.ts';
import type { JsonMap } from './pod/json.ts';
import type { ConfigSource, Mode, PodSettings } from './settings.ts';

/** What is added to a pod. */
export interface Plan {
  readonly mode: Mode;
  readonly config: AgentConfig;
  readonly secrets: readonly SecretsVolume[];
  readonly sharesProcesses: boolean;
}

/** A pod, and what its annotations say. */
export interface Decided {
  readonly metadata: JsonMap;
  readonly spec: JsonMap;
  readonly settings: PodSettings;
  readonly source: ConfigSource;
}
