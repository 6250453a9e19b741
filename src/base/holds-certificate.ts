import { loadCrypto } from './node-crypto.ts';

/**
 * Whether a text begins with a certificate in PEM that can be read. What is trusted is to be looked at before: OpenSSL
 * takes a file without a certificate as no authority, and Node an empty one as all public authorities.
 */
export function holdsCertificate(pem: string): boolean {
  try {
    const { X509Certificate } = loadCrypto();
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
