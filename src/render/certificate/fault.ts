/**
 * Certificates, a key or a password that cannot be written as asked. The message never holds a value; whoever catches
 * the fault puts the names of the sources before it.
 */
export class CertificateFault extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = 'CertificateFault';
    this.hint = hint;
  }
}
