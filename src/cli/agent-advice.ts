import { PannierError } from '../base/errors.ts';
import { askLocal, type LocalAnswer, type LocalAsk, type LocalPlace } from '../http/local-api.ts';
import { adviseOnSocket } from './socket-advice.ts';

/** Asks an agent; an error comes with the advice of `advised`. @throws PannierError as `askLocal` does. */
export async function askAgent(where: LocalPlace, ask: LocalAsk): Promise<LocalAnswer> {
  try {
    return await askLocal(where, ask);
  } catch (error) {
    throw advised(error, where);
  }
}

/** An error of asking an agent, with what the user of a command can do about it; any other error as it is. */
export function advised(error: unknown, where: LocalPlace): unknown {
  if (!(error instanceof PannierError)) return error;
  const { failure } = error;
  if (failure.code === 'AGENT_UNREACHABLE' && where.kind === 'unix') {
    return new PannierError({ ...failure, ...adviseOnSocket(where) });
  }
  if (failure.code === 'AGENT_UNREACHABLE' && where.from !== undefined) {
    return new PannierError({ ...failure, hint: `The address comes from ${where.from}. ${failure.hint}` });
  }
  if (failure.code === 'API_TOKEN') {
    const hint =
      'Name the file of the token in PANNIER_TOKEN_FILE, or give -c with the configuration that has tokenFile.';
    return new PannierError({ ...failure, hint });
  }
  return error;
}
