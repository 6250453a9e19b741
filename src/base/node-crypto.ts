/** `node:crypto`, loaded at its first use: a start that compares, signs and parses nothing saves some milliseconds. */
export const loadCrypto = () => process.getBuiltinModule('node:crypto');
