import { fail } from '../../../base/errors.ts';

/** What a member of an answer is, wherever it stands: the names of the service mean one thing each. */
const KINDS: Readonly<Record<string, 'text' | 'number' | 'list' | 'texts' | 'map' | 'object'>> = {
  ARN: 'text',
  Name: 'text',
  NextToken: 'text',
  Parameter: 'object',
  Parameters: 'list',
  SecretList: 'list',
  SecretString: 'text',
  SecretValues: 'list',
  SecretVersionsToStages: 'map',
  Selector: 'text',
  Tags: 'list',
  Value: 'text',
  Version: 'number',
  VersionId: 'text',
  VersionIdsToStages: 'map',
  VersionStages: 'texts',
  // Of a batch: which secrets could not be read.
  ErrorCode: 'text',
  Errors: 'list',
  SecretId: 'text',
};

/**
 * Checks the members that Pannier reads, since the SDK passes on what a server sent: a proxy, or a server that only
 * looks like AWS, may send anything. What is absent is no concern here.
 * @throws PannierError BACKEND_MALFORMED, which names the member and shows no value.
 */
export function checkAnswer(answer: object, operation: string, place: string): void {
  for (const [name, value] of Object.entries(answer)) {
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    if (kind === undefined || value === undefined) continue;
    if (!fits(value, kind)) {
      throw fail('BACKEND_MALFORMED', place, `${name} in the answer to ${operation} is not what it should be`);
    }
    if (kind === 'object') checkAnswer(value as object, operation, place);
    if (kind === 'list') for (const item of value as readonly object[]) checkAnswer(item, operation, place);
  }
}

function fits(value: unknown, kind: (typeof KINDS)[string]): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number';
    case 'list':
      return Array.isArray(value) && value.every(isObject);
    case 'texts':
      return isTexts(value);
    case 'map':
      return isObject(value) && Object.values(value).every(isTexts);
    case 'object':
      return isObject(value);
    default:
      return true;
  }
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === 'string');

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
