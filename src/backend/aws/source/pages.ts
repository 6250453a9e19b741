import { fail } from '../../../base/errors.ts';
import { loadCrypto } from '../../../base/node-crypto.ts';

/** No account has more: Secrets Manager stores 500,000 secrets, and a page has 100. */
const MAX_PAGES = 10_000;

/** The part of a request that says which page is wanted; empty for the first page. */
export type PageToken = { readonly NextToken?: string };

/**
 * Yields the pages of a listing, up to the one that has no token for a next page.
 * @throws PannierError BACKEND_MALFORMED when a token comes twice or there are too many pages; what `ask` throws.
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
    if (seen.has(NextToken) || seen.size >= MAX_PAGES) {
      throw fail(
        'BACKEND_MALFORMED',
        place,
        `the listing has no end: there is a next page after ${seen.size + 1} pages`,
      );
    }
    seen.add(NextToken);
    token = { NextToken };
  }
}

/**
 * A short version text for a map of secrets, made of their names and versions, never of values. The names and versions
 * of thousands of secrets would be too long themselves.
 */
export function digest(versions: Iterable<readonly [string, string | number]>): string {
  return loadCrypto()
    .createHash('sha256')
    .update(JSON.stringify([...versions]))
    .digest('base64url')
    .slice(0, 22);
}
