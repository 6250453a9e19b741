/** Sections whose entries have names; several files can add entries. */
export const NAMED_SECTIONS = ['backends', 'secrets', 'outputs'] as const;
export type NamedSection = (typeof NAMED_SECTIONS)[number];

/** Sections that only one file may have. */
export const SINGLE_SECTIONS = ['admin', 'api', 'exec', 'log', 'proxy', 'sds', 'state', 'traces'] as const;
export type SingleSection = (typeof SINGLE_SECTIONS)[number];
