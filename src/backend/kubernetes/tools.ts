export { examine } from './examine.ts';
export { policiesFor } from './policies.ts';
