import { type Failure, failure } from '../base/errors.ts';
import type { Config } from '../config/config.ts';

/** How many names one warning lists. */
const MAX_LISTED = 20;

/** What uses the parts of a configuration. */
export interface Uses {
  /** Names of the secrets that an output, a listener or the environment of exec reads. */
  readonly read: ReadonlySet<string>;
  /** Names of the backends that a secret, a computed path or the proxy asks. */
  readonly asked: ReadonlySet<string>;
  /** There is nothing that could read a secret. */
  readonly isIdle: boolean;
}

/**
 * Warnings about what nothing in a configuration uses: one for all secrets and one for all backends; a configuration
 * that does nothing at all gets one in total. The environment of exec counts as a reader, and so do listeners,
 * whichever command runs: one configuration serves several.
 */
export function warningsOfUnused(config: Config, { read, asked, isIdle }: Uses): readonly Failure[] {
  if (isIdle) {
    const seen = 'an agent has nothing to do: there is no output, no variable of exec and no listener for secrets';
    return [failure('CONFIG_UNUSED', 'configuration', seen, { hint: 'Add outputs, exec.env, api or proxy.' })];
  }
  const secrets = [...config.secrets.keys()].filter((name) => !read.has(name));
  const backends = [...config.backends.keys()].filter((name) => !asked.has(name));
  return [
    ...warningOf(secrets, [`secrets.${secrets[0]}`, 'secrets'], {
      one: ['no output, no listener and no variable of exec reads the secret', 'Let something read it, or remove it'],
      several: [
        'no output, no listener and no variable of exec reads the secrets',
        'Let something read them, or remove them',
      ],
      end: ': an agent does not fetch what nothing reads. `pannier get NAME --direct` does.',
    }),
    ...warningOf(backends, [`backends.${backends[0]}`, 'backends'], {
      one: [
        'no secret, no computed path and no proxy asks the backend',
        'Name it in `backend` of a secret, or remove it',
      ],
      several: [
        'no secret, no computed path and no proxy asks the backends',
        'Name them in `backend` of secrets, or remove them',
      ],
      end: ': an agent does not log in where it asks for nothing.',
    }),
  ];
}

interface Words {
  /** What was seen, before the names, and the beginning of the hint. */
  readonly one: readonly [seen: string, hint: string];
  readonly several: readonly [seen: string, hint: string];
  /** Ends the hint. */
  readonly end: string;
}

function warningOf(
  names: readonly string[],
  [place, section]: readonly [string, string],
  { one, several, end }: Words,
): readonly Failure[] {
  if (names.length === 0) return [];
  const [seen, hint] = names.length === 1 ? one : several;
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  const listed = names.slice(0, MAX_LISTED).join(', ') + more;
  return [failure('CONFIG_UNUSED', names.length === 1 ? place : section, `${seen} ${listed}`, { hint: hint + end })];
}
