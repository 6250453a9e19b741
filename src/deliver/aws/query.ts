import type { AskedParameter, AskedSecret } from '../../backend/aws/reader.ts';

/** A request for a secret, as the query and the path say it. */
export interface SecretQuery extends AskedSecret {
  /** Whether the secret is fetched before the answer. */
  readonly refreshNow: boolean;
}

/** What is wrong with a request, in the words of the AWS agent, which clients may compare. */
export class QueryError extends Error {}

const ROLE_ARN = /^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/;

/**
 * Reads the query of a request for a secret. As in the AWS agent the last of several equal parameters counts, and the
 * first thing that is wrong is told.
 * @param id the name or ARN in the path; undefined: the query holds it.
 * @throws QueryError
 */
export function readSecretQuery(query: string, id: string | undefined): SecretQuery {
  if (id === '') throw new QueryError('missing secret ID');
  let secretId = id ?? '';
  let refreshNow = false;
  const more: { versionId?: string; versionStage?: string; roleArn?: string } = {};
  for (const [key, value] of new URLSearchParams(query)) {
    if (key === 'secretId' && id === undefined) secretId = value;
    else if (key === 'versionId' || key === 'versionStage' || key === 'roleArn') more[key] = value;
    else if (key === 'refreshNow') refreshNow = readBoolean(key, value);
    else throw new QueryError(`unknown parameter: ${key}`);
  }
  if (secretId === '') throw new QueryError('missing parameter secretId');
  if (more.roleArn !== undefined && !ROLE_ARN.test(more.roleArn)) {
    throw new QueryError('invalid roleArn format, expected arn:<partition>:iam::<account>:role/<name>');
  }
  return { secretId, refreshNow, ...more };
}

/** Reads the query of a request for a parameter, as clients of the Lambda extension send it. @throws QueryError */
export function readParameterQuery(query: string): AskedParameter {
  const given: Record<'name' | 'version' | 'label', string> = { name: '', version: '', label: '' };
  let withDecryption = false;
  for (const [key, value] of new URLSearchParams(query)) {
    if (key === 'name' || key === 'version' || key === 'label') given[key] = value;
    else if (key === 'withDecryption') withDecryption = readBoolean(key, value);
    else throw new QueryError(`unknown parameter: ${key}`);
  }
  const { name, version, label } = given;
  if (name === '') throw new QueryError('missing parameter name');
  if (version !== '' && label !== '') throw new QueryError('version and label exclude each other');
  const which = version === '' ? label : version;
  return { name: which === '' ? name : `${name}:${which}`, withDecryption };
}

function readBoolean(key: string, value: string): boolean {
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === '1') return true;
  if (lower === 'false' || lower === '0') return false;
  throw new QueryError(`invalid ${key} value`);
}
