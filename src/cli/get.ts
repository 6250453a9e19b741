import { fail, PannierError } from '../base/errors.ts';
import { aboutOneField, lookUp, otherFields, type Value } from '../base/value.ts';
import { splitSource } from '../config/sections/secrets/resolve-source.ts';
import { askLocal, type LocalAnswer, type LocalPlace } from '../http/local-api.ts';
import { writeJson } from '../render/text/json.ts';
import { advised } from './agent-advice.ts';
import { parsedAnswer, refusedAnswer } from './agent-answer.ts';
import { type AgentOptions, findAgent } from './find-agent.ts';
import { isChangedByTerminal, print, tell } from './print.ts';

export interface GetCommandOptions extends AgentOptions {
  readonly json: boolean;
  /** Asks the backend itself, with a login of its own. */
  readonly direct?: boolean;
}

/**
 * `pannier get NAME[.FIELD]`: prints a value that a running agent holds, or without an agent one that is fetched for
 * it. Returns the exit status, 1 for an unknown name.
 *
 * A field is printed as its exact bytes, with a newline after it on a terminal only, so that `$(…)` and `>` get what
 * the backend has. A secret is its fields as one line of JSON. With `--json` a field is a line of JSON too, and a
 * secret has its name and version around the fields.
 */
export async function getCommand(source: string, options: GetCommandOptions): Promise<number> {
  const [name = '', field] = splitSource(source);
  if (!/^[A-Za-z_][\w-]*$/.test(name))
    throw fail('API_UNKNOWN_SECRET', source, `"${source}" cannot be the name of a secret`);
  const isRaw = field !== undefined && !options.json;
  const { answer, where } = await ask(name, isRaw ? field : undefined, source, options);
  warnOfState(name, answer);
  if (isRaw) {
    if (isChangedByTerminal(answer.body)) tell(CHANGED);
    await print(process.stdout.isTTY ? Buffer.concat([answer.body, NEWLINE]) : answer.body);
  } else await print(`${writeJson(choose(parsedAnswer(answer, where), name, field, options), 0, 'api')}\n`);
  return 0;
}

/** The answer of the running agent, or of a fetch of its own: see `isWithoutAgent`. */
async function ask(name: string, field: string | undefined, source: string, options: GetCommandOptions) {
  const nowhere: LocalPlace = { kind: 'unix', path: 'the backend' };
  const { direct = false } = options;
  if (direct) {
    const { getDirectly } = await import('./get-direct.ts');
    return { answer: await getDirectly(name, field, options, true), where: nowhere };
  }
  let where: LocalPlace = nowhere;
  try {
    where = await findAgent(options);
    const path = `/v1/secrets/${encodeURIComponent(name)}${field === undefined ? '' : `/${encodeURIComponent(field)}`}`;
    const answer = await askLocal(where, { path });
    if (answer.status !== 200) throw refusedAnswer(answer, where, source);
    return { answer, where };
  } catch (error) {
    if (!(error instanceof PannierError)) throw error;
    const { getDirectly, isWithoutAgent, NotWithoutAsking } = await import('./get-direct.ts');
    if (!(await isWithoutAgent(error, options))) throw advised(error, where);
    try {
      return { answer: await getDirectly(name, field, options, false), where: nowhere };
    } catch (other) {
      throw other instanceof NotWithoutAsking ? advised(error, where) : other;
    }
  }
}

const NEWLINE = Buffer.from('\n');

const CHANGED =
  'get: the value has characters that control a terminal, shown as question marks; a pipe gets them as they are\n';

function choose(document: Value, name: string, field: string | undefined, { json }: GetCommandOptions): Value {
  if (field === undefined) return json ? document : (lookUp(document, 'fields') ?? document);
  const fields = lookUp(document, 'fields') ?? document;
  const value = lookUp(fields, field);
  if (value === undefined) {
    const { meant, ...hint } = otherFields(fields, field);
    const seen = `the secret ${name} has no field "${field}"${aboutOneField(fields)}${meant}`;
    throw fail('API_UNKNOWN_FIELD', `${name}.${field}`, seen, hint);
  }
  return value;
}

/** Says on standard error that the printed value is old. */
function warnOfState(name: string, { headers }: LocalAnswer): void {
  const state = headers['pannier-state'];
  if (state !== 'stale' && state !== 'expired') return;
  tell(`get: ${name} is ${state}, last known good ${headers['age']} s ago\n`);
}
