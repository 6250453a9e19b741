import type { Words } from '../../../config/words/words.ts';

/** Keys of backends of kind `acme`, and of the secrets that ask one. */
export const acmeWords: Words = {
  'backends.NAME.directory': {
    type: 'text',
    default: 'required',
    does: 'kind `acme`: URL of the directory of the issuer',
    examples: ['https://acme-v02.api.letsencrypt.org/directory'],
  },
  'backends.NAME.accountKeyFile': {
    type: 'path',
    default: 'this or `accountKey` is required',
    does: 'private key of the account in PEM; [made when it is missing](acme.md#the-account)',
    examples: ['/var/lib/pannier/acme.key'],
  },
  'backends.NAME.accountKey': {
    type: 'text',
    does: 'the same key itself, by `${env:NAME}` or `${file:PATH}`',
    examples: ['${env:ACME_ACCOUNT_KEY}'],
  },
  'backends.NAME.contact': {
    type: 'list of texts',
    default: '`[]`',
    does: 'e-mail addresses of the account',
    examples: [['ops@example.com']],
  },
  'backends.NAME.termsAgreed': {
    type: 'boolean',
    default: '`false`',
    does: 'that you agree to the terms of service of the issuer, where it has some',
    examples: [true],
  },
  'backends.NAME.eab': {
    type: 'map',
    does: 'binds the account to one that the issuer gave you a key for',
    examples: [{ keyId: 'kid-1', hmacKeyFile: '/run/identity/eab' }],
  },
  'backends.NAME.eab.keyId': { type: 'text', default: 'required', does: 'the id of that key', examples: ['kid-1'] },
  'backends.NAME.eab.hmacKeyFile': {
    type: 'path',
    default: 'this or `hmacKey` is required',
    does: 'file with that key, in base64url',
    examples: ['/run/identity/eab'],
  },
  'backends.NAME.eab.hmacKey': {
    type: 'text',
    does: 'the same key itself, by `${env:NAME}` or `${file:PATH}`',
    examples: ['${env:ACME_EAB_KEY}'],
  },
  'backends.NAME.http01': {
    type: 'map',
    default: 'this or `dns01` is required',
    does: 'proves names by a port that is [open while the issuer looks](acme.md#http-01)',
    examples: [{ listen: '0.0.0.0:80' }],
  },
  'backends.NAME.http01.listen': {
    type: 'text',
    default: 'required',
    does: '`HOST:PORT` that port 80 of the names leads to',
    examples: ['0.0.0.0:80'],
  },
  'backends.NAME.dns01': {
    type: 'map',
    does: 'proves names by DNS records that [a program sets](acme.md#dns-01)',
    examples: [{ command: { argv: ['./set-record'] }, wait: '30s' }],
  },
  'backends.NAME.dns01.command': {
    type: 'map',
    default: 'required',
    does: 'the program that sets a record and removes it again',
    examples: [{ argv: ['./set-record'], timeout: '1m' }],
  },
  'backends.NAME.dns01.command.argv': {
    type: 'list of texts',
    default: 'required',
    does: 'program and arguments; never a shell',
    examples: [['./set-record']],
  },
  'backends.NAME.dns01.command.timeout': {
    type: 'duration',
    default: '`30s`',
    does: 'how long it may take',
    examples: ['1m'],
  },
  'backends.NAME.dns01.wait': {
    type: 'duration',
    default: '`0s`',
    does: 'how long after it the issuer finds the record',
    examples: ['30s'],
  },
  'secrets.NAME.acme': {
    type: 'map',
    does: 'kind `acme`: a certificate, whose key is made here',
    examples: [{ names: ['shop.example.com'] }],
  },
  'secrets.NAME.acme.names': {
    type: 'list of texts',
    default: 'required',
    does: 'DNS names, also with `*.`, and IP addresses',
    examples: [['shop.example.com', '*.shop.example.com']],
  },
  'secrets.NAME.acme.key': {
    type: '`local`, or map',
    default: 'a key on the curve P-256',
    does: 'kind of the private key, as for [`certificate`](certificates.md#a-key-of-your-own)',
    examples: [{ local: 'rsa', bits: 4096 }],
  },
  'secrets.NAME.acme.key.local': {
    type: '`rsa`, `ec`, `ed25519`',
    default: 'required',
    does: 'the type of key, which the issuer must take',
    examples: ['ec'],
  },
  'secrets.NAME.acme.key.bits': {
    type: '`2048`, `3072`, `4096`',
    default: '`2048`',
    does: 'size of an `rsa` key',
    examples: [3072],
  },
  'secrets.NAME.acme.key.curve': {
    type: '`P-256`, `P-384`, `P-521`',
    default: '`P-256`',
    does: 'curve of an `ec` key',
    examples: ['P-384'],
  },
  'secrets.NAME.acme.key.reuse': {
    type: 'boolean',
    default: '`false`',
    does: 'the next certificate is for the same key, for applications that pin it',
  },
  'secrets.NAME.acme.privateKeyFormat': {
    type: '`pkcs8`, `traditional`',
    default: '`pkcs8`',
    does: 'form of the key in PEM; traditional is PKCS#1 or SEC1',
    examples: ['traditional'],
  },
  'secrets.NAME.acme.profile': {
    type: 'text',
    default: "the issuer's own",
    does: 'one of the kinds of certificates that the issuer offers',
    examples: ['shortlived'],
  },
  'secrets.NAME.acme.ca': {
    type: 'path',
    default: 'the chain that comes with it',
    does: 'file with CA certificates; a certificate that none of them has issued is refused',
    examples: ['/etc/shop/root.pem'],
  },
  'secrets.NAME.acme.clockSkew': {
    type: 'duration',
    default: '`5m`',
    does: 'how far in the future a certificate may begin',
    examples: ['30s'],
  },
  'secrets.NAME.acme.renewBefore': {
    type: 'duration or percentage',
    default: 'when the issuer says, else a third of its life',
    does: 'how long before its end it is [replaced](certificates.md#when-it-is-replaced)',
    examples: ['30d', '30%'],
  },
  'secrets.NAME.acme.renewAt': {
    type: 'text',
    default: 'at any time',
    does: 'only in these hours, local time or `UTC`, unless the end comes before them',
    examples: ['Sun 02:00-04:00'],
  },
};
