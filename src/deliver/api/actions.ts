import { deadline } from '../../base/deadline.ts';
import type { Failure } from '../../base/errors.ts';
import type { OutputAction } from '../../base/fact.ts';
import { LEVELS, tellsMore } from '../../base/log-level.ts';
import type { ApiListenerConfig } from '../../config/config.ts';
import { JSON_TYPE, jsonReply, problemReply, type Reply, refusal } from '../http/reply.ts';
import type { Route, RouteRequest } from '../http/routes.ts';
import type { ApiAgent, Reloaded, Wish } from './api-agent.ts';
import type { Audit } from './audit.ts';
import { CLIENT_WAIT_MS, type RefreshQueue, slowFailure, within } from './refreshing.ts';
import { noValueReply, otherNames, stateHeaders, unknownSecret } from './secret-reads.ts';
import type { VisibleSecrets } from './visible.ts';

export interface ActionRouteDeps {
  readonly agent: ApiAgent;
  readonly visible: VisibleSecrets;
  readonly audit: Audit;
  readonly refreshing: RefreshQueue;
  readonly listener: ApiListenerConfig;
  /** Aborts when the listener's service ends. */
  readonly stop: AbortSignal;
}

/** The routes for the state of the agent, and for what a client may ask it to do. */
export function actionRoutes(deps: ActionRouteDeps): readonly Route[] {
  const actions = new Actions(deps);
  const { agent, visible } = deps;
  return [
    {
      method: 'GET',
      path: '/v1/status',
      handle: () =>
        jsonReply(
          200,
          agent.status((name) => visible.has(name)),
        ),
    },
    {
      method: 'GET',
      path: '/v1/outputs/:name/statement',
      handle: ({ params }) => actions.statement(params['name'] as string),
    },
    { method: 'GET', path: '/v1/openapi.json', handle: () => describeApi(agent.version) },
    {
      method: 'POST',
      path: '/v1/secrets/:name/refresh',
      handle: ({ params }) => actions.refresh(params['name'] as string),
    },
    {
      method: 'POST',
      path: '/v1/outputs/:name/reload',
      handle: ({ params }) => actions.reloadOutput(params['name'] as string),
    },
    {
      method: 'POST',
      path: '/v1/outputs/:name/rollback',
      handle: ({ params, query }) => actions.rollBack(params['name'] as string, query),
    },
    {
      method: 'POST',
      path: '/v1/outputs/:name/resume',
      handle: ({ params }) => actions.askOutput(params['name'] as string, { kind: 'resume' }),
    },
    { method: 'POST', path: '/v1/config/reload', handle: () => actions.reloadConfig() },
    { method: 'POST', path: '/v1/log/:level', handle: ({ params }) => actions.setLogLevel(params['level'] as string) },
    { method: 'POST', path: '/v1/stop', handle: (asked) => actions.stop(asked) },
  ];
}

class Actions {
  readonly #deps: ActionRouteDeps;

  constructor(deps: ActionRouteDeps) {
    this.#deps = deps;
  }

  async refresh(name: string): Promise<Reply> {
    const { agent, visible, audit, refreshing } = this.#deps;
    if (!visible.knows(name)) {
      audit.missed('refresh', 'unknown');
      return unknownSecret(name, visible);
    }
    const before = agent.secrets.entryOf(name);
    const done = await refreshing.refresh(name);
    const entry = agent.secrets.entryOf(name);
    const held = entry === undefined || entry.state === 'absent' ? undefined : entry;
    const headers = held === undefined ? {} : stateHeaders(held, agent);
    const kept = { state: entry?.state ?? 'waiting' };
    const { why } = entry ?? {};
    if (!done) {
      audit.acted('refresh', 'failed', { secret: name, code: 'API_SLOW' });
      return { ...problemReply(504, slowFailure(visible.placeOf(name)), kept), headers };
    }
    if (why !== undefined) {
      audit.acted('refresh', 'failed', { secret: name, code: why.code });
      return { ...problemReply(502, why, kept), headers };
    }
    audit.acted('refresh', 'done', { secret: name });
    if (held === undefined) return noValueReply(name, undefined, agent);
    const changed = before === undefined || before.state === 'absent' || before.valueNumber !== held.valueNumber;
    return { ...jsonReply(200, { ...agent.secretStatus(name), changed }), headers };
  }

  statement(name: string): Reply {
    const { agent, visible } = this.#deps;
    const output = agent.status((secret) => visible.has(secret)).outputs.find((one) => one.name === name);
    if (output === undefined) return this.#unknownOutput(name, 'read');
    if (output.statement !== undefined) return jsonReply(200, output.statement);
    return refusal(409, 'API_NOT_PUBLISHED', `the output ${name} has no published generation`);
  }

  async reloadOutput(name: string): Promise<Reply> {
    const { agent, audit } = this.#deps;
    if (!this.#seesOutput(name)) return this.#unknownOutput(name, 'reload-output');
    const reloaded = await this.#inTime((signal) => agent.reloadOutput(name, signal));
    if (reloaded === undefined) {
      audit.acted('reload-output', 'failed', { output: name, code: 'API_NOT_PUBLISHED' });
      return refusal(409, 'API_NOT_PUBLISHED', `the output ${name} has no published generation`);
    }
    return this.#reloadedReply(name, 'reload-output', reloaded);
  }

  /** @param query may name the generation: `to=7`. */
  async rollBack(name: string, query: string): Promise<Reply> {
    const given = [...new URLSearchParams(query)];
    const [[key, to] = ['to', undefined]] = given;
    if (given.length > 1 || key !== 'to' || (to !== undefined && !/^[1-9]\d{0,14}$/.test(to))) {
      return refusal(400, 'API_MALFORMED', 'the query may hold only to=N, the number of a generation');
    }
    return await this.askOutput(name, { kind: 'roll-back', ...(to === undefined ? {} : { to: Number(to) }) });
  }

  async askOutput(name: string, wish: Wish): Promise<Reply> {
    const { agent, audit } = this.#deps;
    const { kind } = wish;
    if (!this.#seesOutput(name)) return this.#unknownOutput(name, kind);
    if (!this.#isInControl()) {
      audit.acted(kind, 'refused', { output: name });
      return refusal(
        403,
        'API_NOT_ALLOWED',
        'this listener shows only some secrets, and may not choose what is published',
      );
    }
    const asked = await this.#inTime((signal) => agent.askOutput(name, wish, signal));
    if (asked === undefined) {
      audit.acted(kind, 'failed', { output: name, code: 'API_SLOW' });
      return problemReply(504, slowFailure(`outputs.${name}`));
    }
    if (!('refused' in asked)) {
      const { held } = asked;
      // What was to be published failed its check or its verification again.
      if (kind === 'resume' && held !== undefined) return this.#heldAgain(name, held, asked.output);
      return this.#reloadedReply(name, kind, asked);
    }
    audit.acted(kind, 'failed', { output: name, code: asked.refused.code });
    return problemReply(409, asked.refused);
  }

  #heldAgain(name: string, why: Failure, output: Reloaded['output']): Reply {
    this.#deps.audit.acted('resume', 'failed', { output: name, code: why.code });
    return problemReply(502, why, { output });
  }

  /** Whether the listener may change what the whole agent does, short of stopping it. */
  #isInControl(): boolean {
    const { secrets, control } = this.#deps.listener;
    return secrets === undefined || control;
  }

  #seesOutput(name: string): boolean {
    const { agent, visible } = this.#deps;
    return agent.status((secret) => visible.has(secret)).outputs.some((output) => output.name === name);
  }

  #unknownOutput(name: string, action: OutputAction | 'read'): Reply {
    this.#deps.audit.missed(action, 'unknown');
    const { agent, visible } = this.#deps;
    const { outputs } = agent.status((secret) => visible.has(secret));
    const names = outputs.map((output) => output.name);
    const { meant, hint } = otherNames(name, names);
    const seen = `there is no output named ${JSON.stringify(name)}${meant}`;
    return refusal(404, 'API_UNKNOWN_OUTPUT', seen, undefined, hint === undefined ? hint : `There are ${hint}.`);
  }

  /** @param act resolves soon after its signal aborts, which it does when the client has waited long enough. */
  #inTime<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { agent, stop } = this.#deps;
    const late = new AbortController();
    const cancel = deadline(agent.clock, CLIENT_WAIT_MS, () => late.abort());
    return act(AbortSignal.any([late.signal, stop])).finally(cancel);
  }

  #reloadedReply(name: string, action: OutputAction, { output, why }: Reloaded): Reply {
    const isDone = output.state === 'settled';
    this.#deps.audit.acted(action, isDone ? 'done' : 'failed', { output: name, ...(why && { code: why.code }) });
    if (isDone) return jsonReply(200, output);
    if (why === undefined) return problemReply(504, slowFailure(`outputs.${name}`), { output });
    return problemReply(502, why, { output });
  }

  async reloadConfig(): Promise<Reply> {
    const { agent, audit } = this.#deps;
    const { reloadConfig } = agent;
    if (reloadConfig === undefined || !this.#isInControl()) {
      audit.acted('reload-config', 'refused');
      const seen = 'this listener shows only some secrets, and may not reload the whole configuration';
      return refusal(403, 'API_NOT_ALLOWED', seen);
    }
    const failures = await within(agent.clock, CLIENT_WAIT_MS, reloadConfig());
    const [first] = failures ?? [];
    audit.acted('reload-config', failures?.length === 0 ? 'done' : 'failed', first && { code: first.code });
    if (failures === undefined) return problemReply(504, slowFailure('configuration'));
    if (first === undefined) return jsonReply(200, { applied: true });
    const problems = failures.map(({ code, place, seen, hint }) => ({ code, place, seen, hint }));
    return problemReply(422, first, { problems });
  }

  async setLogLevel(asked: string): Promise<Reply> {
    const { agent, audit, listener } = this.#deps;
    const { logLevel } = agent;
    if (logLevel === undefined || (listener.secrets !== undefined && !listener.control)) {
      audit.acted('log-level', 'refused');
      const seen = 'this listener shows only some secrets, and may not change the log of the whole agent';
      return refusal(403, 'API_NOT_ALLOWED', seen);
    }
    const level = LEVELS.find((one) => one === asked);
    const configured = logLevel.configured();
    if ((level === undefined && asked !== 'configured') || (level !== undefined && tellsMore(configured, level))) {
      const hint = `Ask for configured, or for ${LEVELS.filter((one) => !tellsMore(configured, one)).join(', ')}.`;
      const seen = level === undefined ? 'there is no such level' : `the log tells at least what ${configured} has`;
      return refusal(400, 'API_MALFORMED', seen, undefined, hint);
    }
    await logLevel.set(level);
    audit.acted('log-level', 'done');
    return jsonReply(200, { level: logLevel.level(), configured });
  }

  stop({ response }: RouteRequest): Reply {
    const { agent, audit, listener } = this.#deps;
    if (!listener.control) {
      audit.acted('stop', 'refused');
      return refusal(403, 'API_NOT_ALLOWED', 'this listener may not stop the agent');
    }
    audit.acted('stop', 'done');
    response.once('close', agent.stop);
    return jsonReply(202, { stopping: true });
  }
}

async function describeApi(version: string): Promise<Reply> {
  const { openApi } = await import('./openapi.ts');
  return { status: 200, type: JSON_TYPE, body: `${JSON.stringify(openApi(version))}\n` };
}
