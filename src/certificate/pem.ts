const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Each certificate that a text in PEM holds, with a newline at its end. */
export function certificatesIn(pem: string): readonly string[] {
  return [...pem.matchAll(CERTIFICATE)].map(([one]) => inLines(one));
}

/** A block in lines of 64 characters: Node reads none whose base64 is on one line with the words around it. */
function inLines(block: string): string {
  const [, begin = '', body = '', end = ''] =
    /^(-----BEGIN [^-]+-----)([\s\S]*)(-----END [^-]+-----)$/.exec(block) ?? [];
  // The older form of an encrypted key has headers, whose lines stay.
  if (body.includes(':')) return `${block}\n`;
  const lines = body.replace(/\s+/g, '').match(/.{1,64}/g) ?? [];
  return [begin, ...lines, end, ''].join('\n');
}

/** The first private key that a text in PEM holds; undefined without one. */
export function privateKeyIn(pem: string): string | undefined {
  const [found] = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]+?-----END \1-----/.exec(pem) ?? [];
  return found === undefined ? undefined : inLines(found);
}

/** A text whose line ends were written in another way (CRLF, `\\n` as two characters), with plain ones. */
export function unfolded(pem: string): string {
  return pem.replace(/\\r\\n|\\[rn]|\r\n?/g, '\n');
}
