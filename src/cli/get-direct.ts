import { fetchOne } from '../agent/fetch-one.ts';
import { BACKEND_KINDS } from '../backend/registry.ts';
import { systemClock } from '../base/clock.ts';
import { fail, type PannierError, ProblemsError } from '../base/errors.ts';
import { makeNearest, thereIsNo } from '../base/nearest.ts';
import { aboutOneField, otherFields } from '../base/value.ts';
import { version } from '../base/version.ts';
import { readEnvironment } from '../config/environment.ts';
import { lookForDefaultFile } from '../config/load/default-file.ts';
import { kindOf } from '../config/sections/backends/kind.ts';
import { AnswerCache } from '../deliver/api/answers.ts';
import type { LocalAnswer } from '../http/local-api.ts';
import type { AgentOptions } from './find-agent.ts';
import { namedPlace } from './named-place.ts';
import { tell } from './print.ts';
import { progressOnTerminal } from './progress.ts';
import { loadPlan } from './setup.ts';
import { listenForStop } from './stop-signals.ts';

/** A login and one request; a backend that takes longer is in trouble. */
const TIMEOUT_MS = 60_000;

/**
 * Fetches a secret without an agent: logs in as the configuration says, fetches this one, and revokes that login. The
 * answer is the one that an agent's API would give.
 * @param field all of them when undefined.
 * @param isAsked false: no agent answered, and this is tried in its place.
 * @throws ProblemsError or PannierError when there is no such secret, or why it cannot be fetched.
 */
export async function getDirectly(
  name: string,
  field: string | undefined,
  options: AgentOptions,
  isAsked: boolean,
): Promise<LocalAnswer> {
  using progress = await progressOnTerminal();
  const plan = await loadPlan(options);
  progress?.know(plan.config);
  const { secrets, backends } = plan.config;
  const secret = secrets.get(name);
  if (secret === undefined) {
    const near = makeNearest(secrets.keys())(name);
    const hint = `Configured: ${[...secrets.keys()].slice(0, 10).join(', ')}.`;
    throw fail('API_UNKNOWN_SECRET', name, thereIsNo('secret', name, near), { hint });
  }
  const backend = backends.get(secret.backend);
  if (!isAsked && backend !== undefined && kindOf(BACKEND_KINDS, backend).usesUpLogin?.(backend as never) === true) {
    throw new NotWithoutAsking();
  }
  using stop = listenForStop();
  const emit = progress?.hearing(() => {}) ?? (() => {});
  const context = { clock: systemClock, random: Math.random, emit, env: readEnvironment(), version };
  const held = await fetchOne(plan, name, context, { timeoutMs: TIMEOUT_MS, signal: stop.signal });
  progress?.end();
  if (!('value' in held)) throw new ProblemsError(held);
  if (!isAsked) tell('get: no agent answers, so the secret was fetched with a login of its own\n');
  if (held.value.life.kind === 'lease') {
    tell(`get: ${name} has a lease, which was revoked with the login that fetched it\n`);
  }
  const answers = new AnswerCache();
  const body = field === undefined ? answers.whole(name, held) : answers.field(held, field)?.body;
  if (body === undefined && field !== undefined) {
    const { meant, ...hint } = otherFields(held.value.fields, field);
    const seen = `the secret ${name} has no field "${field}"${aboutOneField(held.value.fields)}${meant}`;
    throw fail('API_UNKNOWN_FIELD', `${name}.${field}`, seen, hint);
  }
  return { status: 200, headers: {}, body: Buffer.from(body ?? '') };
}

/** A login would use up what a later start of the agent needs, and nobody asked for a login. */
export class NotWithoutAsking extends Error {}

/**
 * Whether a secret is fetched directly when asking an agent failed so: nothing listens at the address that the
 * configuration gives. Without the section `api` nobody can tell whether an agent runs: then it is an error. An address
 * that the user names is asked, whatever the answer.
 */
export async function isWithoutAgent({ failure }: PannierError, options: AgentOptions): Promise<boolean> {
  const env = readEnvironment();
  if (namedPlace(options.socket, env) !== undefined) return false;
  const isNamed = options.config.length > 0 || (env['PANNIER_CONFIG'] ?? '') !== '';
  if (!isNamed && (await lookForDefaultFile(process.cwd())) !== 'own') return false;
  return (
    failure.code === 'AGENT_UNREACHABLE' &&
    ['there is no such socket', 'no process listens there'].includes(failure.seen)
  );
}
