import { toBytes } from '../template/text.ts';
import { escapePropertyKey, escapePropertyValue } from '../text/properties.ts';
import type { Write } from './format.ts';
import { flatText, keysOf } from './keys.ts';

/** `key=value` lines as `java.util.Properties` reads them, in ASCII, so that every encoding of the file is right. */
export const writePropertiesFile: Write = (sources, options) => {
  const lines = keysOf(sources, options).map(
    (entry) => `${escapePropertyKey(entry.key)}=${escapePropertyValue(flatText(entry))}\n`,
  );
  return toBytes(lines.join(''));
};
