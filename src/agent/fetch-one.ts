import type { Failure } from '../base/errors.ts';
import type { OutputConfig } from '../config/config.ts';
import type { HeldValue } from '../lease/snapshot.ts';
import type { Renderer } from '../render/render.ts';
import type { AgentContext } from './context.ts';
import { NOWHERE } from './dry-run.ts';
import { type InitOptions, init } from './init.ts';
import type { Plan } from './plan.ts';

/**
 * Fetches one secret of a plan as `init` does, and nothing else: only its backend is asked. The login that is made for
 * it is revoked at the end, and with it a lease.
 * @returns the value, or why there is none.
 */
export async function fetchOne(
  plan: Plan,
  name: string,
  context: AgentContext,
  options: InitOptions,
): Promise<HeldValue | readonly Failure[]> {
  let held: HeldValue | undefined;
  let absent: Failure | undefined;
  const renderer: Renderer = {
    wants: new Set([name]),
    asks: new Set(),
    async render(snapshot) {
      const entry = snapshot.get(name);
      if (entry === undefined || (entry.state === 'absent' && !entry.optional)) {
        return { kind: 'waits', missing: [name], computed: new Map() };
      }
      if (entry.state === 'absent') absent = entry.why;
      else held = entry;
      return { kind: 'files', files: new Map(), computed: new Map() };
    },
  };
  const { env: _env, ...rest } = plan;
  const outputs = [{ output: OUTPUT, renderer, requests: new Map() }];
  const failures = await init({ ...rest, outputs }, context, {
    ...options,
    createSink: () => NOWHERE,
    keepLogins: false,
  });
  return held ?? (absent === undefined ? failures : [absent]);
}

/** The output that stands for the reader of the value; nothing is published for it. */
const OUTPUT: OutputConfig = {
  name: 'get',
  dir: '',
  mode: 0o400,
  requireTmpfs: false,
  quietMs: 0,
  maxWaitMs: 0,
  reloadOnFirst: false,
  files: new Map(),
  reload: [],
};
