import { parseAddress } from '../../address.ts';
import { tablesIn } from '../../check/table.ts';
import type { TracesConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import type { Problems } from '../../problems/problems.ts';

/** The schema of this section as tables, which the build puts in. */
declare const PANNIER_TRACES_TABLES: string | undefined;

const TABLES = tablesIn(typeof PANNIER_TRACES_TABLES === 'string' ? PANNIER_TRACES_TABLES : undefined);

/** Where traces go; undefined when there is no such section. */
export function resolveTraces(entry: ConfigEntry, problems: Problems): TracesConfig | undefined {
  problems.checker.learn?.(TABLES);
  return resolveEntry('traces', entry, problems, ({ endpoint, service }, found) => {
    const { file, path } = entry;
    const { address, wrong = 'it is a socket; http://HOST:PORT is expected' } = parseAddress(endpoint ?? 'http://host');
    if (address === undefined || !address.startsWith('http')) {
      found.add('CONFIG_INVALID', file, [...path, 'endpoint'], wrong, CREDENTIALS);
      return undefined;
    }
    return {
      ...(endpoint === undefined ? {} : { endpoint: address }),
      ...(service === undefined ? {} : { service }),
      place: found.placeIn(file, path),
    };
  });
}

const CREDENTIALS = 'Give the address alone; credentials go into the variable OTEL_EXPORTER_OTLP_HEADERS.';
