import { tablesIn } from '../../../config/check/table.ts';

/** The schemas of this kind as tables, which the build puts in. */
declare const PANNIER_ACME_TABLES: string | undefined;

export const TABLES = tablesIn(typeof PANNIER_ACME_TABLES === 'string' ? PANNIER_ACME_TABLES : undefined);
