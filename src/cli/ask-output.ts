import { lookUp, plainNumber } from '../base/value.ts';
import { placeOfOutput } from '../config/place.ts';
import { advised, askAgent } from './agent-advice.ts';
import { parsedAnswer, refusedAnswer } from './agent-answer.ts';
import type { Choice } from './choice.ts';
import { findAgent } from './find-agent.ts';
import { printLines } from './print.ts';
import { progressOnTerminal } from './progress.ts';

/** Longer than the agent waits for a reload before it answers. */
const TIMEOUT_MS = 40_000;

/**
 * `pannier rollback OUTPUT` and `pannier resume OUTPUT`: ask a running agent to publish an earlier generation again, or
 * what is held back. Prints the generation that is published then.
 * @throws PannierError for what the agent refuses, a reload that fails included.
 */
export async function askOutputCommand(asked: Extract<Choice, { command: 'rollback' | 'resume' }>): Promise<number> {
  const { command, output, options } = asked;
  using progress = await progressOnTerminal();
  const where = await findAgent(options);
  const query = 'to' in asked ? `?to=${asked.to}` : '';
  const path = `/v1/outputs/${encodeURIComponent(output)}/${command}${query}`;
  const answer = await askAgent(where, { method: 'POST', path, timeoutMs: TIMEOUT_MS });
  progress?.end();
  if (answer.status !== 200) throw advised(refusedAnswer(answer, where, placeOfOutput(output)), where);
  const generation = plainNumber(lookUp(parsedAnswer(answer, where), 'generation'));
  await printLines(`${output}: generation ${generation} is published\n`);
  return 0;
}
