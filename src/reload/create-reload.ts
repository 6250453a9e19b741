import type { ReloadConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { createCommandReload } from './command.ts';
import type { Reload, ReloadedOutput } from './reload.ts';
import { createSignalReload } from './signal.ts';

/**
 * The step that a configuration describes.
 * @param env the agent's own variables, for commands; they get them without the agent's logins.
 */
export function createReload(config: ReloadConfig, output: ReloadedOutput, env: Environment): Reload {
  switch (config.kind) {
    case 'signal':
      return createSignalReload(config);
    case 'command':
      return createCommandReload(config, output, env);
  }
}
