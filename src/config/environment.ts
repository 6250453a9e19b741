/** Environment variables by name; those of the process, or those for a command. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. Nothing else reads `process.env`: all code gets it as an argument. */
export function readEnvironment(): Environment {
  return { ...process.env };
}
