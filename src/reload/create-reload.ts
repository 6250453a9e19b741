import type { ReloadConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { KeptChild } from '../process/kept-child.ts';
import type { RenderedRequest } from '../render/request.ts';
import { createCommandReload } from './command.ts';
import { createHttpReload } from './http.ts';
import type { Reload, ReloadedOutput } from './reload.ts';
import { createChildRestart } from './restart.ts';
import { createChildSignal, createSignalReload } from './signal.ts';

/**
 * The step that a configuration describes.
 * @param env the agent's own variables, for commands; they get them without the agent's logins.
 * @param render makes headers and body, for HTTP requests.
 * @param child of exec, for what goes to it; absent where there is none.
 */
export function createReload(
  config: ReloadConfig,
  output: ReloadedOutput,
  env: Environment,
  render: () => RenderedRequest = () => ({ kind: 'request', headers: new Map() }),
  child?: KeptChild,
): Reload {
  switch (config.kind) {
    case 'signal':
      return 'child' in config ? createChildSignal(config.name, config.place, child) : createSignalReload(config);
    case 'restart':
      return createChildRestart(child, config.place);
    case 'http':
      return createHttpReload(config, render);
    case 'command':
      return createCommandReload(config, output, env);
  }
}
