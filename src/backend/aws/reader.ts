import type { Secret } from '../../base/secret.ts';
import type { Backend } from '../backend.ts';

/** A request of a client that speaks AWS's own protocol, for one version of a secret. */
export interface AskedSecret {
  /** A name or an ARN, as the client wrote it. */
  readonly secretId: string;
  readonly versionId?: string;
  readonly versionStage?: string;
  /** A role to assume with the identity of the backend. */
  readonly roleArn?: string;
}

/** One version of a secret as Secrets Manager stores it. */
export interface StoredSecret {
  readonly kind: 'secret';
  readonly arn: string;
  readonly name: string;
  readonly versionId: string;
  readonly content: Secret;
  /** Whether it was stored as bytes. */
  readonly isBinary: boolean;
  /** Absent: the version has no staging label. */
  readonly stages?: readonly string[];
  /** Absent: the service does not say. */
  readonly createdWallMs?: number;
}

/** A request for one parameter. */
export interface AskedParameter {
  /** A name or an ARN, perhaps with `:VERSION` or `:LABEL`. */
  readonly name: string;
  readonly withDecryption: boolean;
}

/** One parameter as Parameter Store answers it. */
export interface StoredParameter {
  readonly kind: 'parameter';
  readonly arn: string;
  readonly name: string;
  readonly type: string;
  readonly dataType: string;
  readonly version: number;
  readonly content: Secret;
  /** The version or label that was asked for, with its colon; absent: none was. */
  readonly selector?: string;
  readonly modifiedWallMs?: number;
}

/** An error as the service itself words it, for clients that speak the service's protocol to the agent. */
export interface AwsErrorAnswer {
  /** The name in the API reference of the service, such as `ResourceNotFoundException`. */
  readonly type: string;
  readonly message: string;
  readonly status: number;
}

/** Reads what clients name, with the identity of the backend. */
export interface AwsReader {
  /**
   * @param patient whether the service is asked again, up to twice, when it is busy or gives no answer.
   * @throws PannierError of the client and of a login.
   */
  readSecret(asked: AskedSecret, patient: boolean, signal: AbortSignal): Promise<StoredSecret>;
  /**
   * Whether DescribeSecret still lists the version of `stored`, with the stage that is asked for.
   * @throws as `readSecret` does.
   */
  isCurrent(asked: AskedSecret, stored: StoredSecret, signal: AbortSignal): Promise<boolean>;
  /** @throws as `readSecret` does. */
  readParameter(asked: AskedParameter, patient: boolean, signal: AbortSignal): Promise<StoredParameter>;
  /** What the service answered, when one of the errors above is made of an answer of it. */
  answerOf(error: unknown): AwsErrorAnswer | undefined;
  /** Whether an error says that a role that a client named cannot be assumed. */
  isOfRole(error: unknown): boolean;
}

/** A backend whose secrets can be read by the names that clients give. */
export interface AwsBackend extends Backend {
  /** Loads what is needed to read; returns the same reader at each call. */
  reader(): Promise<AwsReader>;
}

/** Whether clients can read from a backend by AWS's own protocol. */
export function hasReader(backend: Backend): backend is AwsBackend {
  return 'reader' in backend;
}
