/** The process environment as data. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The one place that reads `process.env`; everything below gets it as an argument. */
export function readEnvironment(): Environment {
  return { ...process.env };
}
