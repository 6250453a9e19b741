import type { SecretRequest } from '../../../config/config.ts';

/** A role that is assumed for one secret, with the identity of the backend. Without `roleArn` no role is assumed. */
export interface AwsRole {
  readonly roleArn?: string;
  readonly externalId?: string;
}

/** One secret of Secrets Manager. */
export interface AwsSecretRequest extends SecretRequest, AwsRole {
  readonly kind: 'aws-secret';
  /** A name, an ARN, or an ARN without its random end. */
  readonly secretId: string;
  /** At most one of `stage` and `versionId` is present; without both, the stage is AWSCURRENT. */
  readonly stage?: string;
  readonly versionId?: string;
  /** Adds a field of this name with the fields of AWSPREVIOUS, and of AWSPENDING. */
  readonly previous?: true;
  readonly pending?: true;
}

/** All secrets whose names begin with `prefix` and that have `tags`, as one map. */
export interface AwsPrefixRequest extends SecretRequest, AwsRole {
  readonly kind: 'aws-prefix';
  readonly prefix: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** One parameter of Parameter Store. */
export interface AwsParameterRequest extends SecretRequest, AwsRole {
  readonly kind: 'aws-parameter';
  readonly name: string;
}

/** All parameters below a path that ends in a slash. */
export interface AwsParametersRequest extends SecretRequest, AwsRole {
  readonly kind: 'aws-parameters';
  readonly path: string;
}

/**
 * What clients may name by AWS's protocol, for policies and for examinations: nothing is fetched before a client asks.
 */
export interface AwsOnDemandRequest extends SecretRequest, AwsRole {
  readonly kind: 'aws-on-demand';
  /** Patterns of names and ARNs, in which `*` stands for any characters. */
  readonly secrets: readonly string[];
  readonly parameters: readonly string[];
}

export type AwsRequest =
  | AwsSecretRequest
  | AwsPrefixRequest
  | AwsParameterRequest
  | AwsParametersRequest
  | AwsOnDemandRequest;

export function isAwsSecretRequest(request: SecretRequest): request is AwsSecretRequest {
  return request.kind === 'aws-secret';
}
