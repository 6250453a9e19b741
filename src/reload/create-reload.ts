import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/fact.ts';
import { loadCrypto } from '../base/node-crypto.ts';
import type { ReloadConfig, VerifyConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { SupervisedChild } from '../process/supervised-child.ts';
import type { RenderedRequest } from '../render/request.ts';
import { createCommandReload } from './command.ts';
import { createHttpReload } from './http.ts';
import type { Reload, ReloadAction, ReloadedOutput } from './reload.ts';
import { createChildRestart } from './restart.ts';
import { createChildSignal, createSignalReload } from './signal.ts';

/**
 * Makes the step that a configuration describes.
 * @param env the agent's own variables; commands get them without the credentials of the agent's logins.
 * @param render makes the headers and body of an HTTP request.
 * @param child the child of exec, for steps that act on it; absent where there is none.
 * @param emit gets what a command printed, if the configuration says so.
 */
export function createReload(
  config: ReloadConfig,
  output: ReloadedOutput,
  env: Environment,
  render: () => RenderedRequest = () => ({ kind: 'request', headers: new Map() }),
  child?: SupervisedChild,
  emit: Emit = () => {},
): Reload {
  return { ...actionOf(config, output, env, render, child, emit), id: idOf(config) };
}

/** Makes the last step, which asks the application; see `createReload` for the parameters. */
export function createVerification(
  config: VerifyConfig,
  output: ReloadedOutput,
  env: Environment,
  render: (() => RenderedRequest) | undefined,
  emit: Emit,
  clock: Clock,
): Reload {
  const ask = createReload(config.ask, output, env, render, undefined, emit);
  return {
    kind: 'verify',
    place: config.place,
    timeoutMs: config.withinMs,
    id: `verify-${ask.id}`,
    async run(generation, signal) {
      const { verify } = await import('./verify.ts');
      return await verify(config, (ends) => ask.run(generation, ends), clock, signal);
    },
  };
}

function actionOf(
  config: ReloadConfig,
  output: ReloadedOutput,
  env: Environment,
  render: () => RenderedRequest,
  child: SupervisedChild | undefined,
  emit: Emit,
): ReloadAction {
  switch (config.kind) {
    case 'signal':
      return 'child' in config
        ? createChildSignal(config.name, config.place, output.dir, child)
        : createSignalReload(config);
    case 'restart':
      return createChildRestart(config.place, output.dir, child);
    case 'http':
      return createHttpReload(config, render);
    case 'command':
      return createCommandReload(config, output, env, emit);
  }
}

/**
 * A hash of everything that the step does, without its place in the list and its time limit: these do not make it
 * another step. It is short, since it is written beside the generations.
 */
function idOf({ place: _, ...config }: ReloadConfig): string {
  const text = JSON.stringify({ ...config, timeoutMs: 0 }, (_key, value) =>
    value instanceof Map ? [...value] : value,
  );
  return loadCrypto().createHash('sha256').update(text).digest('base64url').slice(0, 12);
}
