import { type Cut, cutIn } from './cut.ts';

const derive = cutIn('src/render/certificate/derive.ts');
const pkcs12 = cutIn('src/render/certificate/pkcs12.ts');
const identity = cutIn('src/render/certificate/identity.ts');
const password = cutIn('src/render/certificate/password.ts');

const trustBundle = cutIn('src/backend/vault/source/trust-bundle.ts');

const CONTROL = "throw new CertificateFault('the password holds a line end or another control character', hint);";

export const KEYSTORES: readonly Cut[] = [
  derive('keystore-equal', "createHmac('sha256', seed)", "createHmac('sha256', String(Math.random()))"),
  derive('keystore-equal', '.update(content)', ".update('')"),
  derive('keystore-equal', '.update(purpose)', ".update('')", { by: 'within one file' }),
  pkcs12('keystore-read', 'const MAC_KEY = 3;', 'const MAC_KEY = 1;'),
  pkcs12('keystore-read', ', attribute(TRUSTED, ANY_USE)', '', { by: 'Java trusts' }),
  identity('key-of-leaf', 'if (own.length === 0 && certificates.length > 0) {', 'if (own.length < 0) {'),
  password('keystore-password', "if (password === '')", "if (password === ' ')"),
  cutIn('src/render/formats/certificates.ts')(
    'keystore-password',
    'if (isStore && password === undefined) {',
    'if (isStore && password === null) {',
    { by: 'before any value' },
  ),
  password('keystore-hidden', CONTROL, CONTROL.replace("'the password holds", "password + 'holds"), {
    by: 'is refused when it',
  }),
  trustBundle('trust-bundle-overlap', 'nowMs + overlapMs', 'nowMs + 2 * overlapMs'),
  trustBundle('trust-bundle-overlap', 'if (leavesMs <= nowMs) continue;', 'if (leavesMs > 0) continue;'),
  trustBundle('trust-bundle-overlap', ' || revoked.has(fingerprint)', '', { by: 'was revoked' }),
  cutIn('src/config/sections/outputs/resolve-format.ts')(
    'keystore-hidden',
    "'it does not name a field of a secret'",
    '`there is no secret ${source}`',
    { by: 'written literally' },
  ),
];
