const EXPECTED = 'http://HOST:PORT, https://HOST:PORT or unix:///PATH is expected';

/**
 * A server's address in one spelling: without a slash at the end and without the default port, with its base path. Else
 * `wrong` says what is wrong with it, and never shows the address, which may hold a password by mistake.
 */
export function parseAddress(text: string): { readonly address?: string; readonly wrong?: string } {
  if (text.startsWith('unix://')) {
    const path = text.slice('unix://'.length);
    return /^\/[^\0?#]+$/.test(path)
      ? { address: text }
      : { wrong: 'the path is not absolute; unix:///PATH is expected' };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:\/\//i.test(text)) return { wrong: `it is not an address; ${EXPECTED}` };
  if (url.username !== '' || url.password !== '')
    return { wrong: 'it holds a user or a password; credentials belong in auth' };
  if (/[?#]/.test(text)) return { wrong: `it holds a query or a fragment; ${EXPECTED}` };
  return { address: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}` };
}
