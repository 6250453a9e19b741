import { Secret } from '../../base/secret.ts';
import { isList, type Value } from '../../base/value.ts';
import { type PemBlock, readPem, writePem } from '../text/pem.ts';
import { orderChain, parseCertificate } from './chain.ts';
import { BadArgument, type Helper, takeText } from './helper.ts';

export const pem: Helper = {
  usage: 'pem PEM…',
  does:
    'PEM texts, and lists of PEM texts, as one text with proper lines. Line breaks that were lost or became `\\n` are ' +
    'restored; text around the blocks and repeated certificates are left out. Certificates are ordered, a leaf first, ' +
    'each followed by its issuer; other blocks keep their place. The text has no line end after it.',
  example: ['{{pem "-----BEGIN X----- c2hv cA== -----END X-----"}}', '-----BEGIN X-----\nc2hvcA==\n-----END X-----'],
  apply: (args) => Secret.text(inOrder(args.flatMap(blocksOf)).map(writePem).join('\n')),
};

function blocksOf(value: Value): readonly PemBlock[] {
  if (isList(value)) return value.flatMap(blocksOf);
  const blocks = readPem(takeText(value));
  if (blocks === undefined) throw new BadArgument('takes whole PEM blocks');
  return blocks;
}

const isCertificate = ({ label }: PemBlock): boolean => label === 'CERTIFICATE';

/** Orders the certificates among themselves; a block of another kind keeps its place. Drops repeated certificates. */
function inOrder(blocks: readonly PemBlock[]): readonly PemBlock[] {
  const known = new Set<string>();
  const unique = blocks.filter((block) => !isCertificate(block) || known.size < known.add(block.base64).size);
  if (known.size < 2) return unique;
  const certificates = unique.filter(isCertificate).map((block) => ({
    block,
    certificate: parseCertificate(Buffer.from(block.base64, 'base64')),
  }));
  const ordered = orderChain(certificates).values();
  return unique.map((block) => (isCertificate(block) ? (ordered.next().value?.block ?? block) : block));
}
