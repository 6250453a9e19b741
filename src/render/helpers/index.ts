import { add, divide, modulo, multiply, subtract } from './arithmetic.ts';
import { base64decode, base64encode } from './base64.ts';
import { lower, title, upper } from './case.ts';
import { pkcs12, tlsDer, tlsPem, truststore } from './certificates.ts';
import { choose } from './choose.ts';
import { eq, ge, gt, le, lt, ne } from './compare.ts';
import { concat } from './concat.ts';
import { contains, endsWith, startsWith } from './contains.ts';
import { date } from './date.ts';
import { defaultHelper } from './default.ts';
import { hmac, md5, sha1, sha256 } from './digest.ts';
import { first, last } from './ends.ts';
import type { Helper } from './helper.ts';
import { indent } from './indent.ts';
import { join } from './join.ts';
import { json } from './json.ts';
import { and, not, or } from './logic.ts';
import { lookup } from './lookup.ts';
import { match } from './match.ts';
import { parseJson } from './parse-json.ts';
import { parseYaml } from './parse-yaml.ts';
import { matches, replacePattern } from './pattern.ts';
import { pem } from './pem.ts';
import { quote } from './quote.ts';
import { replace } from './replace.ts';
import { part, size } from './size.ts';
import { sort } from './sort.ts';
import { split } from './split.ts';
import { toKeyValue } from './to-key-value.ts';
import { trim, trimPrefix, trimSuffix } from './trim.ts';
import { urlencode } from './urlencode.ts';
import { x509 } from './x509.ts';
import { yaml } from './yaml.ts';

/**
 * Every helper by name. No helper reaches the file system, the network, the clock or the environment.
 * `test/render/docs.test.ts` checks that docs/templates.md lists the same helpers.
 */
export const HELPERS: ReadonlyMap<string, Helper> = new Map(
  Object.entries({
    default: defaultHelper,
    choose,
    eq,
    ne,
    lt,
    gt,
    le,
    ge,
    and,
    or,
    not,
    contains,
    startsWith,
    endsWith,
    matches,
    json,
    yaml,
    parseJson,
    parseYaml,
    toKeyValue,
    quote,
    urlencode,
    base64encode,
    base64decode,
    trim,
    trimPrefix,
    trimSuffix,
    upper,
    lower,
    title,
    match,
    replace,
    replacePattern,
    part,
    size,
    indent,
    split,
    concat,
    join,
    sort,
    first,
    last,
    lookup,
    add,
    subtract,
    multiply,
    divide,
    modulo,
    sha256,
    sha1,
    md5,
    hmac,
    date,
    pem,
    x509,
    tlsPem,
    tlsDer,
    pkcs12,
    truststore,
  }),
);
