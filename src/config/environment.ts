/** Environment variables by name; those of the process, or those for a command. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether Pannier runs without some of NODE_OPTIONS. */
export const hasLeftOutOptions = (): boolean => process.env['PANNIER_NODE_OPTIONS'] !== undefined;

/**
 * The environment of this process. Nothing else reads `process.env`: all code gets it as an argument. NODE_OPTIONS is
 * as it was given, although Pannier itself runs without some of it (src/cli/start-over.ts): children get all of it.
 */
export function readEnvironment(): Environment {
  const { PANNIER_NODE_OPTIONS: given, ...env } = process.env;
  return given === undefined ? env : { ...env, NODE_OPTIONS: given };
}
