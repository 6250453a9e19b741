import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import type { Shapes } from '../../check/shapes.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import type { Problems } from '../../problems/problems.ts';
import type { StoredCertificate } from './config.ts';

/**
 * In which fields of an answer a certificate is. Undefined when a problem was added.
 * @param request the key that asks for the answer.
 */
export function resolveStored(
  {
    bundle,
    certificate = bundle,
    privateKey = bundle,
    chain,
    ca,
    clockSkew,
  }: NonNullable<Shapes['secret']['certificateFrom']>,
  request: string,
  { file, path }: ConfigEntry,
  problems: Problems,
): StoredCertificate | undefined {
  const at = [...path, 'certificateFrom'];
  const problem = (code: 'CONFIG_INVALID' | 'CONFIG_MISSING', key: string, seen: string) =>
    problems.add(code, file, [...at, key], seen);
  if (request === 'certificate') {
    problems.add('CONFIG_INVALID', file, at, 'certificateFrom does not go with certificate', 'Remove it.');
  }
  if (bundle !== undefined && (certificate !== bundle || privateKey !== bundle)) {
    problem('CONFIG_INVALID', 'bundle', 'it takes the place of certificate and privateKey, which stand beside it');
  }
  if (certificate === undefined) problem('CONFIG_MISSING', 'certificate', 'absent');
  if (privateKey === undefined) problem('CONFIG_MISSING', 'privateKey', 'absent');
  if (certificate === undefined || privateKey === undefined) return undefined;
  return {
    certificate,
    privateKey,
    ...(chain === undefined ? {} : { chain }),
    ...(ca === undefined ? {} : { caFile: resolve(file.dir, ca) }),
    ...(clockSkew === undefined ? {} : { clockSkewMs: parseDuration(clockSkew) as number }),
  };
}
