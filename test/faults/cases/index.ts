import type { FaultCase, PlayedCase } from '../case.ts';
import { ACCESS } from './access.ts';
import { CONNECTIONS } from './connections.ts';
import { DISK } from './disk.ts';
import { HUNG } from './hung.ts';
import { KILLED } from './kills.ts';
import { NETWORK } from './network.ts';
import { PROCESS } from './process.ts';
import { SERVERS } from './servers.ts';

/** Every case, in the order of the table. */
export const CASES: readonly (FaultCase | PlayedCase)[] = [
  ...CONNECTIONS,
  ...NETWORK,
  ...HUNG,
  ...SERVERS,
  ...ACCESS,
  ...DISK,
  ...PROCESS,
  ...KILLED,
];
