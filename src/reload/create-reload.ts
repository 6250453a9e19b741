import type { ReloadConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { RenderedRequest } from '../render/request.ts';
import { createCommandReload } from './command.ts';
import { createHttpReload } from './http.ts';
import type { Reload, ReloadedOutput } from './reload.ts';
import { createSignalReload } from './signal.ts';

/**
 * The step that a configuration describes.
 * @param env the agent's own variables, for commands; they get them without the agent's logins.
 * @param render makes headers and body, for HTTP requests.
 */
export function createReload(
  config: ReloadConfig,
  output: ReloadedOutput,
  env: Environment,
  render: () => RenderedRequest = () => ({ kind: 'request', headers: new Map() }),
): Reload {
  switch (config.kind) {
    case 'signal':
      return createSignalReload(config);
    case 'http':
      return createHttpReload(config, render);
    case 'command':
      return createCommandReload(config, output, env);
  }
}
