/** What the names of secrets on demand begin with: no configured secret has a space in its name. */
const PREFIX = 'sds ';

/** The name of the secret of a name that a client asked for. */
export const onDemandSecret = (name: string): string => `${PREFIX}${name}`;

/** The name that a client asked for; undefined for every other secret. */
export const nameOnDemand = (secret: string): string | undefined =>
  secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : undefined;
