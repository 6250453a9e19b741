import { fail } from '../../../base/errors.ts';
import { loadCrypto } from '../../../base/node-crypto.ts';

/** More than any account has: Secrets Manager keeps 500,000 secrets, at 100 a page. */
const PAGES = 10_000;

/** What goes with the question for a page: nothing with the first. */
export type PageToken = { readonly NextToken?: string };

/**
 * The pages of a listing, until one names no next.
 * @throws PannierError BACKEND_MALFORMED when a token comes twice or there is no end; what `ask` throws.
 */
export async function* pagesOf<P extends { readonly NextToken?: string | undefined }>(
  place: string,
  ask: (token: PageToken) => Promise<P>,
): AsyncGenerator<P> {
  const seen = new Set<string>();
  for (let token: PageToken = {}; ; ) {
    const page = await ask(token);
    yield page;
    const { NextToken } = page;
    if (!NextToken) return;
    if (seen.has(NextToken) || seen.size >= PAGES) {
      throw fail('BACKEND_MALFORMED', place, `the listing has no end: ${seen.size + 1} pages, and a token again`);
    }
    seen.add(NextToken);
    token = { NextToken };
  }
}

/**
 * Tells maps apart by the names and versions in them, never by values: those of some thousand are too long for a
 * version.
 */
export function digest(versions: Iterable<readonly [string, string | number]>): string {
  return loadCrypto()
    .createHash('sha256')
    .update(JSON.stringify([...versions]))
    .digest('base64url')
    .slice(0, 22);
}
