export { examine } from './doctor/examine.ts';
export { policiesFor } from './policies.ts';
