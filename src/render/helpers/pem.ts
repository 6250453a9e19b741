import { Secret } from '../../base/secret.ts';
import { isList, type Value } from '../../base/value.ts';
import { type PemBlock, readPem, writePem } from '../text/pem.ts';
import { orderChain, parseCertificate } from './chain.ts';
import { BadArgument, type Helper, wantText } from './helper.ts';

export const pem: Helper = {
  usage: 'pem PEM…',
  does:
    'PEM texts, and lists of them, as one with proper lines: breaks that were lost or became `\\n` are mended, text ' +
    'around the blocks goes, and so does a certificate that came before. Certificates are ordered, a leaf first, each ' +
    'followed by its issuer; other blocks keep their place. No line end after it.',
  example: ['{{pem "-----BEGIN X----- c2hv cA== -----END X-----"}}', '-----BEGIN X-----\nc2hvcA==\n-----END X-----'],
  apply: (args) => Secret.text(inOrder(args.flatMap(blocksOf)).map(writePem).join('\n')),
};

function blocksOf(value: Value): readonly PemBlock[] {
  if (isList(value)) return value.flatMap(blocksOf);
  const blocks = readPem(wantText(value));
  if (blocks === undefined) throw new BadArgument('wants whole PEM blocks');
  return blocks;
}

const isCertificate = ({ label }: PemBlock): boolean => label === 'CERTIFICATE';

/** The certificates in their order in the places where certificates were. */
function inOrder(blocks: readonly PemBlock[]): readonly PemBlock[] {
  const met = new Set<string>();
  const once = blocks.filter((block) => !isCertificate(block) || met.size < met.add(block.base64).size);
  if (met.size < 2) return once;
  const certificates = once.filter(isCertificate).map((block) => ({
    block,
    certificate: parseCertificate(Buffer.from(block.base64, 'base64')),
  }));
  const ordered = orderChain(certificates).values();
  return once.map((block) => (isCertificate(block) ? (ordered.next().value?.block ?? block) : block));
}
