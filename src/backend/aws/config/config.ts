import type { Secret } from '../../../base/secret.ts';
import type { BackendConfig } from '../../../config/config.ts';

/** Secrets Manager and Parameter Store of one AWS account. */
export interface AwsBackendConfig extends BackendConfig {
  readonly kind: 'aws-secrets-manager';
  /** Absent: what the shared config file says for the profile. */
  readonly region?: string;
  /** Asked in this order when the one before cannot be reached or answers 5xx. */
  readonly failoverRegions: readonly string[];
  /** `{region}` stands for the region that is asked; absent: AWS's own. */
  readonly endpoints: { readonly secretsManager?: string; readonly ssm?: string; readonly sts?: string };
  /** Assumed with the credentials of `sources`. */
  readonly roleArn?: string;
  readonly externalId?: string;
  readonly roleSessionName: string;
  readonly caFile?: string;
  readonly timeoutMs: number;
  readonly sources: AwsCredentialSources;
}

/** What the environment says about credentials. */
export interface AwsCredentialSources {
  readonly keys?: { readonly accessKeyId: string; readonly secretAccessKey: Secret; readonly sessionToken?: Secret };
  readonly profile: string;
  /** Somebody asked for this profile, so that keys in the environment are not meant. */
  readonly isProfileNamed: boolean;
  readonly credentialsFile: string;
  readonly configFile: string;
  readonly webIdentity?: { readonly tokenFile: string; readonly roleArn: string; readonly sessionName?: string };
  /** ECS, and EKS Pod Identity. */
  readonly container?: { readonly uri: string; readonly authorizationFile?: string; readonly authorization?: Secret };
  /** Address of the instance's metadata service. Absent: it may not be asked. */
  readonly instance?: string;
}
