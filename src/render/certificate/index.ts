/** Certificates, keys and keystores as files. Loaded when a format or a helper that writes them is used. */
export { CertificateFault } from './fault.ts';
export { type Identity, identityOf } from './identity.ts';
export { derOf, pemOf } from './parts.ts';
export { readPassword } from './password.ts';
export { findCertificates, type Named } from './read.ts';
export { keystoreOf, truststoreOf } from './stores.ts';
