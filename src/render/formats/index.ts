import type { FormatName, FormatOptions } from '../../config/config.ts';
import type { Write } from './format.ts';
import { writeJsonFile } from './json.ts';
import { writeRawFile } from './raw.ts';

/** Short formats whose file is no list of keys; the others are loaded when they are used. */
const NESTED: Readonly<Partial<Record<FormatName, Write>>> = {
  json: writeJsonFile,
  raw: writeRawFile,
};

/** Whether a format writes certificates and keys, which have no text to mask a part of. */
export const isOfCertificates = (format: FormatName): boolean => OF_CERTIFICATES.has(format);

const OF_CERTIFICATES: ReadonlySet<FormatName> = new Set(['pem', 'der', 'pkcs12', 'truststore']);

/** What writes files of a format. */
export async function loadFormat(format: FormatName, { flat }: FormatOptions): Promise<Write> {
  const nested = flat === true ? undefined : NESTED[format];
  if (format === 'yaml' && flat !== true) return (await import('./yaml.ts')).writeYamlFile;
  return nested ?? ((await import('./keyed.ts')).KEYED[format] as Write);
}
