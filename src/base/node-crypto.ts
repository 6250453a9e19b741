/** Loads `node:crypto` at its first use, which saves some milliseconds of a start that needs no cryptography. */
export const loadCrypto = () => process.getBuiltinModule('node:crypto');
