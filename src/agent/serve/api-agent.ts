import type { ApiAgent, Reloaded } from '../../deliver/api/api-agent.ts';
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
  };
}

/** Has the output's loop reload, and waits until the output's state shows what came of it. */
async function reloadOutput(name: string, view: AgentView, signal: AbortSignal): Promise<Reloaded | undefined> {
  const ended = Promise.withResolvers<void>();
  const check = () => {
    const state = view.outputs.states().get(name);
    if (state?.kind !== 'owed' || state.why !== undefined) ended.resolve();
  };
  if (!view.outputs.reload(name)) return undefined;
  using _subscription = view.onProgress(check);
  signal.addEventListener('abort', () => ended.resolve(), { once: true });
  check();
  await ended.promise;
  const output = outputStatusOf(name, view);
  if (output === undefined) return undefined;
  const state = view.outputs.states().get(name);
  const why = state?.kind === 'owed' || state?.kind === 'failed' ? state.why : undefined;
  return { output, ...(why === undefined ? {} : { why }) };
}
