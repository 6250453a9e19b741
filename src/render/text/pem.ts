/** One block of a PEM text (RFC 7468), or of the older form with headers (RFC 1421). */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY` and so on. */
  readonly label: string;
  /** Lines such as `Proc-Type: 4,ENCRYPTED`; only the older form has them. */
  readonly headers: readonly string[];
  readonly base64: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9][A-Z0-9 ]*)-----(.*?)-----END \1-----/gs;
const HEADER = /^[A-Za-z][A-Za-z0-9-]*: /;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+$|^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)$/;
const WIDTH = 64;

/**
 * The blocks of a text, however its lines are broken: with CRLF, all on one line, or with `\n` as two characters. Text
 * around the blocks is left out. Undefined when there is no block, or when a block is not whole.
 */
export function readPem(text: string): readonly PemBlock[] | undefined {
  const broken = text.replace(/\\r\\n|\\[rn]|\r\n?/g, '\n');
  const blocks: PemBlock[] = [];
  for (const [, label = '', body = ''] of broken.matchAll(BLOCK)) {
    const lines = body.split('\n').map((line) => line.trim());
    const headers = lines.filter((line) => HEADER.test(line));
    const base64 = lines
      .filter((line) => !HEADER.test(line))
      .join('')
      .replace(/\s+/g, '');
    if (!BASE64.test(base64)) return undefined;
    blocks.push({ label, headers, base64 });
  }
  return blocks.length > 0 && broken.split('-----BEGIN ').length === blocks.length + 1 ? blocks : undefined;
}

/** The block in lines of 64 characters (RFC 7468), without a line end after it. */
export function writePem({ label, headers, base64 }: PemBlock): string {
  const lines = base64.match(new RegExp(`.{1,${WIDTH}}`, 'g')) ?? [];
  const head = headers.length === 0 ? [] : [...headers, ''];
  return [`-----BEGIN ${label}-----`, ...head, ...lines, `-----END ${label}-----`].join('\n');
}
