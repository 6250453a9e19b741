import { toBytes } from '../template/text.ts';
import { escapePropertyKey, escapePropertyValue } from '../text/properties.ts';
import type { Write } from './format.ts';
import { flatText, keysOf } from './keys.ts';

/** Format properties: `key=value` lines for `java.util.Properties`, in ASCII, so that any encoding reads the same. */
export const writePropertiesFile: Write = (sources, options) => {
  const lines = keysOf(sources, options).map(
    (entry) => `${escapePropertyKey(entry.key)}=${escapePropertyValue(flatText(entry))}\n`,
  );
  return toBytes(lines.join(''));
};
