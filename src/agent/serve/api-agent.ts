import { failure } from '../../base/errors.ts';
import { onAbort } from '../../base/on-abort.ts';
import { placeOfOutput } from '../../config/place.ts';
import type { ApiAgent, Reloaded, Wish } from '../../deliver/api/api-agent.ts';
import type { AgentView } from './agent-view.ts';
import { outputStatusOf, secretStatus, statusOf } from './status.ts';

/** The agent as the API sees it. */
export function apiAgent(view: AgentView): ApiAgent {
  return {
    ...view,
    secretStatus: (name) => secretStatus(name, view),
    computedPlaces: () => new Map([...view.outputs.computed().values()].flatMap((computed) => [...computed])),
    status: (sees) => statusOf(view, sees),
    reloadOutput: (name, signal) => reloadOutput(name, view, signal),
    askOutput: (name, wish, signal) => askOutput(name, wish, view, signal),
  };
}

async function reloadOutput(name: string, view: AgentView, signal: AbortSignal): Promise<Reloaded | undefined> {
  return view.outputs.reload(name) ? await reloadEnded(name, view, signal) : undefined;
}

async function askOutput(name: string, wish: Wish, view: AgentView, signal: AbortSignal) {
  const asked = view.outputs.ask(name, wish);
  const late = Promise.withResolvers<'late'>();
  const stopListening = onAbort(signal, () => late.resolve('late'));
  const refused = await Promise.race([asked, late.promise]).finally(stopListening);
  if (refused === 'late') return undefined;
  if (refused !== undefined) return { refused };
  const reloaded = await reloadEnded(name, view, signal);
  return reloaded ?? { refused: failure('CANCELLED', placeOfOutput(name), 'another configuration has no such output') };
}

/** Waits until the state of an output shows what came of its reload. */
async function reloadEnded(name: string, view: AgentView, signal: AbortSignal): Promise<Reloaded | undefined> {
  const ended = Promise.withResolvers<void>();
  const check = () => {
    const state = view.outputs.states().get(name);
    if (state?.kind !== 'owed' || state.why !== undefined) ended.resolve();
  };
  using _subscription = view.onProgress(check);
  const stopListening = onAbort(signal, () => ended.resolve());
  check();
  await ended.promise.finally(stopListening);
  const output = outputStatusOf(name, view);
  if (output === undefined) return undefined;
  const state = view.outputs.states().get(name);
  const why = state?.kind === 'owed' || state?.kind === 'failed' ? state.why : undefined;
  const held = state !== undefined && 'held' in state ? state.held?.why : undefined;
  return { output, ...(why === undefined ? {} : { why }), ...(held === undefined ? {} : { held }) };
}
