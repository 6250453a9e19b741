import * as yaml from 'yaml';
import { readYaml } from '../../config/load/parse-yaml.ts';
import { PREFIX } from '../annotations/known.ts';
import { type ConfigSource, HEALTH_SOCKET } from '../settings.ts';
import { MAX_NAMED, type Wrong } from '../wrong.ts';
import { annotationOfPart } from './annotation-of.ts';
import { CONFIG_FILE, type ConfigNeeds, checkConfig } from './checked-config.ts';
import { configOfParts, type Readers } from './parts-config.ts';
import { ValueCount } from './value-count.ts';
import { configOfVault } from './vault-config.ts';

/** The configuration of one pod's agent. */
export interface AgentConfig {
  /** Absent: it is in a ConfigMap of the user's. */
  readonly text?: string;
  /** Absent: the injector has not seen the configuration. */
  readonly needs?: ConfigNeeds;
  /** Where the agent answers probes; absent: the configuration says it. */
  readonly health?: 'socket' | 'port';
}

export interface ConfigContext {
  readonly readers: Readers;
  readonly hasCa: boolean;
  /** Whether the agent stays and is asked for its health. */
  readonly stays: boolean;
  readonly metricsPort?: number;
}

/** A configuration, or why there is none. */
interface Made {
  readonly config?: AgentConfig;
  readonly wrong: readonly Wrong[];
}

/** The pods of one Deployment ask for one configuration. Those that came last are at the end. */
const made = new Map<string, Made>();
const MAX_KEPT = 128;

/** A longer source is not kept, nor one with more problems than a denial names, so that the memory stays small. */
const MAX_KEPT_LENGTH = 16 * 1024;

/** Makes and checks the configuration. What is wrong goes into `wrong`; undefined then. */
export async function agentConfigOf(
  source: ConfigSource,
  context: ConfigContext,
  wrong: Wrong[],
): Promise<AgentConfig | undefined> {
  const key = JSON.stringify([source, context], (_, value) => (value instanceof Map ? [...value] : value));
  const found = made.get(key) ?? (await make(source, context));
  made.delete(key);
  if (key.length <= MAX_KEPT_LENGTH && found.wrong.length <= MAX_NAMED) made.set(key, found);
  for (const oldest of made.keys()) {
    if (made.size <= MAX_KEPT) break;
    made.delete(oldest);
  }
  wrong.push(...found.wrong);
  return found.config;
}

async function make(source: ConfigSource, context: ConfigContext): Promise<Made> {
  if (source.kind === 'map') return { config: {}, wrong: [] };
  const wrong: Wrong[] = [];
  const made = await textOf(source, context, wrong);
  const { text } = made;
  if (wrong.length > 0) return { wrong };
  const reading = readYaml(yaml, text);
  // A name of more than a thousand characters cannot be read back as the key of a map.
  if (source.kind !== 'inline' && reading.errors.length > 0) {
    const where = whereOf('', source, made.annotationOf);
    return { wrong: [{ where, seen: 'gives a name or a path that is too long' }] };
  }
  if (new ValueCount(wrong).add(reading.count, whereOf('', source, made.annotationOf))) return { wrong };
  const checked = await checkConfig(text, reading);
  if ('problems' in checked) {
    return {
      wrong: checked.problems.map((seen) => ({
        where: whereOf(seen, source, made.annotationOf),
        seen: `gives no valid configuration: ${shown(seen)}`,
      })),
    };
  }
  const { needs } = checked;
  if (!context.stays || needs.answersHealth) return { config: { text, needs }, wrong };
  const { document } = reading;
  if (document === undefined || !yaml.isMap(document.contents)) return { config: { text, needs }, wrong };
  const { metricsPort } = context;
  const admin = metricsPort === undefined ? { socket: HEALTH_SOCKET } : { listen: `0.0.0.0:${metricsPort}` };
  document.set('admin', document.createNode(admin));
  const health = metricsPort === undefined ? 'socket' : 'port';
  return { config: { text: document.toString(), needs, health }, wrong };
}

/** The file is in no container yet: its lines are those of the annotation. */
const shown = (problem: string): string =>
  problem.replace(NO_VARIABLE, OF_ANOTHER_CONTAINER).replace(IN_FILE, 'line $1, column $2');

const IN_FILE = new RegExp(`${CONFIG_FILE}:(\\d+):(\\d+)`, 'g');

/** Nobody sets a variable of the agent's container. */
const NO_VARIABLE = /(?<=is not set)\. Set the variable, or provide the file\./;
const OF_ANOTHER_CONTAINER = ' for the agent, whose container has none of the application. Write the value.';

/** The annotation that is named for a configuration that is not good. */
function whereOf(
  problem: string,
  source: Exclude<ConfigSource, { kind: 'map' }>,
  annotationOf: Text['annotationOf'],
): string {
  switch (source.kind) {
    case 'inline':
      return `${PREFIX}config`;
    case 'parts':
      return PREFIX + annotationOfPart(problem, source.parts);
    case 'vault':
      return source.prefix + (annotationOf?.(problem) ?? 'agent-inject');
  }
}

/** A configuration, and the annotation that made the part of it that a problem is of. */
interface Text {
  readonly text: string;
  readonly annotationOf?: (problem: string) => string | undefined;
}

async function textOf(
  source: Exclude<ConfigSource, { kind: 'map' }>,
  { readers, hasCa }: ConfigContext,
  wrong: Wrong[],
): Promise<Text> {
  switch (source.kind) {
    case 'inline':
      return { text: source.text };
    case 'parts':
      return { text: configOfParts(source.parts, readers, hasCa, wrong) };
    case 'vault':
      return await configOfVault(source.prefix, source, wrong);
  }
}
