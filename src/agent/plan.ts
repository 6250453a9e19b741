import type { Failure } from '../base/errors.ts';
import type { Config, GenerationsConfig, OutputConfig } from '../config/config.ts';
import type { Renderer } from '../render/render.ts';
import type { RequestRenderer } from '../render/request.ts';

/** A configuration without problems, with its templates parsed. */
export interface Plan {
  readonly config: Config;
  readonly outputs: readonly PlannedOutput[];
  /** The environment of the child of `exec`; absent: no variable is made of secrets. */
  readonly env?: PlannedEnvironment;
  /** The warnings of the configuration, and those about what nothing in it uses. */
  readonly warnings: readonly Failure[];
  /** When reading the files began: what was written later may not be in the plan. */
  readonly readAtWallMs: number;
}

/** An output with its renderer; made without any backend, so `validate` uses the same one as `run`. */
export interface PlannedOutput {
  readonly output: OutputConfig;
  readonly renderer: Renderer;
  /** Renderers of its HTTP reloads and of `verify`, by their place. `renderer` wants their secrets too. */
  readonly requests: ReadonlyMap<string, RequestRenderer>;
}

/** The environment of the child of `exec`, as an output whose files are variables. */
export interface PlannedEnvironment {
  readonly output: GenerationsConfig;
  readonly renderer: Renderer;
}
