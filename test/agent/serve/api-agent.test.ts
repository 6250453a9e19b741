import { describe, expect, it } from 'vitest';
import type { AgentView } from '../../../src/agent/serve/agent-view.ts';
import { apiAgent } from '../../../src/agent/serve/api-agent.ts';

describe('a client that asks an output for a rollback', () => {
  it('waits no longer than it may, while the output is busy with a check or a reload', async () => {
    const view = { outputs: { ask: () => new Promise(() => {}) } } as unknown as AgentView;
    const late = new AbortController();
    const asked = apiAgent(view).askOutput('shop', { kind: 'roll-back' }, late.signal);
    late.abort();
    expect(await asked).toBeUndefined();
    expect(await apiAgent(view).askOutput('shop', { kind: 'resume' }, late.signal)).toBeUndefined();
  });
});
