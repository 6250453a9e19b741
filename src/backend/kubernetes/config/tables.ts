import { tablesIn } from '../../../config/check/table.ts';

/** The schemas of this kind as tables, which the build puts in. */
declare const PANNIER_KUBERNETES_TABLES: string | undefined;

export const TABLES = tablesIn(typeof PANNIER_KUBERNETES_TABLES === 'string' ? PANNIER_KUBERNETES_TABLES : undefined);
