import type { CommonOptions } from './setup.ts';

export interface PolicyCommandOptions extends CommonOptions {
  /** Names of backends; all when empty. */
  readonly backend: readonly string[];
  readonly json?: boolean;
  readonly direct?: boolean;
  readonly tokenFile?: string;
}
export async function policyCommand(_options: PolicyCommandOptions): Promise<number> {
  return 0;
}
