import type { Config, GenerationsConfig, OutputConfig } from '../config/config.ts';
import type { Renderer } from '../render/render.ts';
import type { RequestRenderer } from '../render/request.ts';

/** A configuration that was found good, with the renderers of its outputs. */
export interface Plan {
  readonly config: Config;
  readonly outputs: readonly PlannedOutput[];
  /** The environment of exec's child; absent: nothing in it is made of secrets. */
  readonly env?: PlannedEnvironment;
  /** When reading began: what was written later may not be in it. */
  readonly readAtWallMs: number;
}

/** An output with its renderer; made without any backend, so `validate` uses the same one as `run`. */
export interface PlannedOutput {
  readonly output: OutputConfig;
  readonly renderer: Renderer;
  /** What its HTTP reloads carry, by their place. The renderer wants their secrets too. */
  readonly requests: ReadonlyMap<string, RequestRenderer>;
}

/** One more output, for `exec` alone: its files are variables. */
export interface PlannedEnvironment {
  readonly output: GenerationsConfig;
  readonly renderer: Renderer;
}
