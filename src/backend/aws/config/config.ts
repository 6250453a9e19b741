import type { Secret } from '../../../base/secret.ts';
import type { BackendConfig } from '../../../config/config.ts';

/** Secrets Manager and Parameter Store of one AWS account. */
export interface AwsBackendConfig extends BackendConfig {
  readonly kind: 'aws-secrets-manager';
  /** Absent: the shared config file names the region of the profile. */
  readonly region?: string;
  /** Asked in this order when the region before cannot be reached or answers 5xx. */
  readonly failoverRegions: readonly string[];
  /** `{region}` stands for the region that is asked. An absent endpoint is AWS's own. */
  readonly endpoints: { readonly secretsManager?: string; readonly ssm?: string; readonly sts?: string };
  /** Assumed with the credentials of `sources`. */
  readonly roleArn?: string;
  readonly externalId?: string;
  readonly roleSessionName: string;
  readonly caFile?: string;
  readonly timeoutMs: number;
  readonly sources: AwsCredentialSources;
}

/** Where credentials may come from, as configuration and environment say. An absent source is skipped. */
export interface AwsCredentialSources {
  readonly keys?: { readonly accessKeyId: string; readonly secretAccessKey: Secret; readonly sessionToken?: Secret };
  readonly profile: string;
  /** Configuration or AWS_PROFILE names the profile, so keys in the environment are not used. */
  readonly isProfileNamed: boolean;
  readonly credentialsFile: string;
  readonly configFile: string;
  readonly webIdentity?: { readonly tokenFile: string; readonly roleArn: string; readonly sessionName?: string };
  /** The credential service of ECS or of EKS Pod Identity. */
  readonly container?: { readonly uri: string; readonly authorizationFile?: string; readonly authorization?: Secret };
  /** Address of the instance's metadata service. Absent: AWS_EC2_METADATA_DISABLED is set. */
  readonly instance?: string;
}
