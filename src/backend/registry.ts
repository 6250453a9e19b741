import { tablesIn } from '../config/check/table.ts';
import { acme } from './acme/kind.ts';
import { aws } from './aws/kind.ts';
import { file } from './file/kind.ts';
import type { BackendKind } from './kind.ts';
import { kubernetes } from './kubernetes/kind.ts';
import { vault } from './vault/kind.ts';

/**
 * Every kind of backend that is part of Pannier. A new kind is one folder beside this file and its name in this list.
 * Messages list the keys of secrets in this order.
 */
export const BACKEND_KINDS: readonly BackendKind[] = [vault, file, aws, acme, kubernetes];

/** The tables that every start needs, with these kinds; the build defines them. */
declare const PANNIER_START_TABLES: string | undefined;

export const SCHEMA_TABLES = tablesIn(typeof PANNIER_START_TABLES === 'string' ? PANNIER_START_TABLES : undefined);
