import { readFileSync } from 'node:fs';

/** One of the certificates of test/fixtures/certificates. */
export const readCertificate = (name: string): string => readFileSync(`test/fixtures/certificates/${name}.pem`, 'utf8');
