import type { AwsOnDemandRequest } from '../backend/aws/config/request.ts';
import type { Config, SecretConfig } from '../config/config.ts';

const REFRESH_MS = 300_000;

/**
 * What a backend is asked for on demand: certificates for names that nobody has, and what clients of the AWS agent may
 * name. No configured secret has a space in its name.
 */
export function requestsOnDemand(backend: string, { sds, api }: Config): readonly SecretConfig[] {
  const common = { name: 'on demand', backend, optional: false, refreshMs: REFRESH_MS };
  const certificate = sds?.onDemand;
  const { place, request } = certificate ?? {};
  const ofSds =
    certificate?.backend === backend && place !== undefined && request ? [{ ...common, place, request }] : [];
  const ofAws = (api?.listeners ?? []).flatMap(({ aws }) => {
    const onDemand = aws?.onDemand;
    if (onDemand?.backend !== backend) return [];
    const { allow, parameters = [], roleArns } = onDemand;
    const own: AwsOnDemandRequest = { kind: 'aws-on-demand', secrets: allow, parameters };
    const byRole = roleArns.map((roleArn): AwsOnDemandRequest => ({ ...own, parameters: [], roleArn }));
    return [own, ...byRole].map((one) => ({ ...common, place: onDemand.place, request: one }));
  });
  return [...ofSds, ...ofAws];
}
