import type { FaultCase } from '../case.ts';
import { ACCESS } from './access.ts';
import { CONNECTIONS } from './connections.ts';
import { DISK } from './disk.ts';
import { NETWORK } from './network.ts';
import { PROCESS } from './process.ts';
import { SERVERS } from './servers.ts';

/** Every case, in the order of the table. */
export const CASES: readonly FaultCase[] = [...CONNECTIONS, ...NETWORK, ...SERVERS, ...ACCESS, ...DISK, ...PROCESS];
