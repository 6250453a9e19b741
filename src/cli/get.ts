import { fail } from '../base/errors.ts';
import { aboutOneField, lookUp, type Value } from '../base/value.ts';
import { splitSource } from '../config/sections/secrets/resolve-source.ts';
import { askLocal, type LocalAnswer } from '../http/local-api.ts';
import { writeJson } from '../render/text/json.ts';
import { parsedAnswer, refusedAnswer } from './agent-answer.ts';
import { type AgentOptions, findAgent } from './find-agent.ts';
import { print } from './print.ts';

export interface GetCommandOptions extends AgentOptions {
  readonly json: boolean;
}

/**
 * `pannier get NAME[.FIELD]`: prints a value that a running agent holds. Returns the exit status, 1 for an unknown
 * name.
 *
 * A field is printed as its exact bytes, with a newline after it on a terminal only, so that `$(…)` and `>` get what
 * the backend has. A secret is its fields as one line of JSON. With `--json` a field is a line of JSON too, and a
 * secret has its name and version around the fields.
 */
export async function getCommand(source: string, options: GetCommandOptions): Promise<number> {
  const [name = '', field] = splitSource(source);
  if (!/^[A-Za-z_][\w-]*$/.test(name))
    throw fail('API_UNKNOWN_SECRET', source, `"${source}" cannot be the name of a secret`);
  const where = await findAgent(options);
  const isRaw = field !== undefined && !options.json;
  const path = `/v1/secrets/${encodeURIComponent(name)}${isRaw ? `/${encodeURIComponent(field)}` : ''}`;
  const answer = await askLocal(where, { path });
  if (answer.status !== 200) throw refusedAnswer(answer, where, source);
  warnOfState(name, answer);
  if (isRaw) await print(process.stdout.isTTY ? Buffer.concat([answer.body, NEWLINE]) : answer.body);
  else await print(`${writeJson(choose(parsedAnswer(answer, where), name, field, options), 0, 'api')}\n`);
  return 0;
}

const NEWLINE = Buffer.from('\n');

function choose(document: Value, name: string, field: string | undefined, { json }: GetCommandOptions): Value {
  if (field === undefined) return json ? document : (lookUp(document, 'fields') ?? document);
  const fields = lookUp(document, 'fields') ?? document;
  const value = lookUp(fields, field);
  if (value === undefined) {
    const seen = `the secret ${name} has no field "${field}"${aboutOneField(fields)}`;
    throw fail('API_UNKNOWN_FIELD', `${name}.${field}`, seen);
  }
  return value;
}

/** Says on standard error that the printed value is old. */
function warnOfState(name: string, { headers }: LocalAnswer): void {
  const state = headers['pannier-state'];
  if (state !== 'stale' && state !== 'expired') return;
  process.stderr.write(`get: ${name} is ${state}, last known good ${headers['age']} s ago\n`);
}
