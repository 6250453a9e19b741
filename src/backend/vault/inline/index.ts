export { openInline } from './open-inline.ts';
export { canBeInline } from './spares.ts';
