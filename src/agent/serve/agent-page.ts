import type { ListenConfig } from '../../config/config.ts';
import type { HealthWatch } from '../../observe/health-watch.ts';
import { createPage, type Page } from '../../observe/page/page-routes.ts';
import type { RecentEvents } from '../../observe/page/recent-events.ts';
import { withoutPaths } from '../../observe/page/shown.ts';
import type { AgentView } from './agent-view.ts';
import { statusOf } from './status.ts';

/** The status page of an agent, for one admin listener. */
export function createAgentPage(view: AgentView, where: ListenConfig, watch: HealthWatch, events: RecentEvents): Page {
  const page = createPage({
    clock: view.clock,
    where,
    shown: () => ({
      status: withoutPaths(statusOf(view, () => true)),
      health: watch.check('ready'),
      events: events.list(),
      renewalsOf: (secret) => events.renewalsOf(secret),
      hourOf: (output) => events.hourOf(output),
    }),
  });
  const listening = [view.onProgress(() => page.changed()), view.onFact(() => page.changed())];
  return {
    ...page,
    [Symbol.dispose]() {
      for (const one of listening) one[Symbol.dispose]();
      page[Symbol.dispose]();
    },
  };
}
