import { isMap, parseDocument } from 'yaml';
import { PREFIX } from '../annotations/known.ts';
import { type ConfigSource, HEALTH_SOCKET } from '../settings.ts';
import type { Wrong } from '../wrong.ts';
import { type ConfigNeeds, checkConfig } from './checked-config.ts';
import { configOfParts, type Readers } from './parts-config.ts';
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

/** Makes and checks the configuration. What is wrong goes into `wrong`; undefined then. */
export async function agentConfigOf(
  source: ConfigSource,
  context: ConfigContext,
  wrong: Wrong[],
): Promise<AgentConfig | undefined> {
  if (source.kind === 'map') return {};
  const before = wrong.length;
  const text = await textOf(source, context, wrong);
  if (wrong.length > before) return undefined;
  const checked = await checkConfig(text);
  if ('problems' in checked) {
    const where = source.kind === 'vault' ? `${source.prefix}agent-inject` : `${PREFIX}${FIRST[source.kind]}`;
    wrong.push(...checked.problems.map((seen) => ({ where, seen: `gives no valid configuration: ${seen}` })));
    return undefined;
  }
  const { needs } = checked;
  if (!context.stays || needs.answersHealth) return { text, needs };
  const { metricsPort } = context;
  const document = parseDocument(text);
  if (!isMap(document.contents)) return { text, needs };
  if (metricsPort === undefined) {
    document.set('admin', document.createNode({ socket: HEALTH_SOCKET }));
    return { text: document.toString(), needs, health: 'socket' };
  }
  document.set('admin', document.createNode({ listen: `0.0.0.0:${metricsPort}` }));
  return { text: document.toString(), needs, health: 'port' };
}

/** The annotation that is named for a configuration that is not good. */
const FIRST = { inline: 'config', parts: 'secret-NAME' } as const;

async function textOf(
  source: Exclude<ConfigSource, { kind: 'map' }>,
  { readers, hasCa }: ConfigContext,
  wrong: Wrong[],
): Promise<string> {
  switch (source.kind) {
    case 'inline':
      return source.text;
    case 'parts':
      return configOfParts(source.parts, readers, hasCa, wrong);
    case 'vault':
      return await configOfVault(source.prefix, source.annotations, wrong);
  }
}
