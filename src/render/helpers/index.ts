import { base64decode, base64encode } from './base64.ts';
import { lower, upper } from './case.ts';
import { defaultHelper } from './default.ts';
import type { Helper } from './helper.ts';
import { indent } from './indent.ts';
import { join } from './join.ts';
import { json } from './json.ts';
import { lookup } from './lookup.ts';
import { trim } from './trim.ts';
import { urlencode } from './urlencode.ts';

/**
 * Every helper by name. None reaches the file system, the network, the clock or the environment.
 * `test/render/docs.test.ts` ties this table to docs/templates.md.
 */
export const HELPERS: ReadonlyMap<string, Helper> = new Map(
  Object.entries({
    default: defaultHelper,
    json,
    base64encode,
    base64decode,
    trim,
    upper,
    lower,
    indent,
    join,
    urlencode,
    lookup,
  }),
);

/** How many arguments a helper takes. */
export const argumentCount = (helper: Helper): number => helper.usage.split(' ').length - 1;
