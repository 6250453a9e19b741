import type { Policy } from '../policy.ts';
export const policiesFor = async (): Promise<readonly Policy[]> => [];
