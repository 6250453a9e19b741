import type { SchemaTables, StartSchemaName } from '../config/check/table.ts';
import { acme } from './acme/kind.ts';
import { aws } from './aws/kind.ts';
import { file } from './file/kind.ts';
import type { BackendKind } from './kind.ts';
import { vault } from './vault/kind.ts';

/**
 * Every kind of backend that is part of Pannier. A new kind is one folder beside this file and its name in this list.
 * Messages list the keys of secrets in this order.
 */
export const BACKEND_KINDS: readonly BackendKind[] = [vault, file, aws, acme];

/** The tables of the schemas with these kinds; the build defines them. */
declare const PANNIER_SCHEMAS: SchemaTables<StartSchemaName> | undefined;

/** Undefined in a program that was not built: zod checks its configurations. */
export const SCHEMA_TABLES = typeof PANNIER_SCHEMAS === 'object' ? PANNIER_SCHEMAS : undefined;
