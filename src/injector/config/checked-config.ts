import { join } from 'node:path';
import { allProblems, planOf } from '../../agent/create-plan.ts';
import { BACKEND_KINDS, SCHEMA_TABLES } from '../../backend/registry.ts';
import { type Failure, PannierError, ProblemsError } from '../../base/errors.ts';
import type { Config, OutputConfig } from '../../config/config.ts';
import { ConfigProblemsError } from '../../config/problems/config-problems.ts';
import type { YamlReading } from '../../config/problems/yaml-reading.ts';
import { CONFIG_DIR } from '../settings.ts';

/** The file of the configuration in the agent's container. */
export const CONFIG_FILE = join(CONFIG_DIR, 'pannier.yaml');

/** What the pod must have for a configuration. */
export interface ConfigNeeds {
  /** The directories of its outputs. */
  readonly dirs: readonly string[];
  /** The files of its first output that the kubelet can read variables from. */
  readonly envFiles: readonly string[];
  /** A reload sends a signal to another container's process. */
  readonly signals: boolean;
  /** It has a listener that answers health. */
  readonly answersHealth: boolean;
}

/**
 * Checks a configuration as the agent will at its start, without reading one file: those that it names are in the pod.
 * What is wrong is told without the values of the configuration.
 */
export async function checkConfig(
  text: string,
  reading?: YamlReading,
): Promise<{ readonly needs: ConfigNeeds } | { readonly problems: readonly string[] }> {
  try {
    const { loadConfig } = await import('../../config/load.ts');
    const config = await loadConfig({
      paths: [],
      env: {},
      kinds: BACKEND_KINDS,
      tables: SCHEMA_TABLES,
      cwd: CONFIG_DIR,
      given: { path: CONFIG_FILE, text, reading },
    });
    const foreign = fileTemplates(config);
    if (foreign.length > 0) return { problems: foreign };
    const { outputs, api, proxy, sds } = config;
    if (outputs.size === 0 && api === undefined && proxy === undefined && sds === undefined) {
      return { problems: ['there is no output, api, proxy or sds, and so nothing for an agent to do'] };
    }
    await planOf(config, 0);
    return { needs: needsOf(config) };
  } catch (error) {
    const all = error instanceof ConfigProblemsError ? await allOf(error) : error;
    if (all instanceof ProblemsError) return { problems: all.failures.map(told) };
    if (all instanceof PannierError) return { problems: [told(all.failure)] };
    throw all;
  }
}

/** The problems of templates too, unless one of them is a file, which is not here. */
async function allOf(error: ConfigProblemsError): Promise<ProblemsError> {
  const outputs = error.rest?.outputs;
  const hasFile = outputs !== undefined && fileTemplates({ outputs }).length > 0;
  return hasFile ? error : await allProblems(error);
}

const told = ({ place, seen, hint }: Failure): string => `${place}: ${seen}. ${hint}`;

/** A template in a file would be looked for beside the configuration, where there is nothing else. */
function fileTemplates({ outputs }: Pick<Config, 'outputs'>): readonly string[] {
  return [...outputs.values()].flatMap(({ files }) =>
    [...files.values()].flatMap(({ content, place }) =>
      content.kind === 'template' ? [`${place}: a template in a file is not in the pod. Use content.`] : [],
    ),
  );
}

function needsOf({ outputs, admin, api }: Config): ConfigNeeds {
  const steps = [...outputs.values()].flatMap(({ reload }) => reload);
  return {
    dirs: [...outputs.values()].map(({ dir }) => dir),
    envFiles: envFilesOf([...outputs.values()][0]?.files),
    signals: steps.some((step) => step.kind === 'signal' && !('child' in step)),
    answersHealth: admin !== undefined || api !== undefined,
  };
}

/** Files that the kubelet reads. It refuses the quotes of other dialects, and a template without quotes. */
function envFilesOf(files: OutputConfig['files'] = new Map()): readonly string[] {
  return [...files].flatMap(([name, { content }]) => {
    if (content.kind === 'content') return isForKubelet(content.text) ? [name] : [];
    return content.kind === 'format' && content.format === 'dotenv' && content.options?.for === 'kubelet' ? [name] : [];
  });
}

/** Whether each line of a template that is text is `NAME='…`, the only one that the kubelet reads, and there is one. */
function isForKubelet(template: string): boolean {
  const lines = template
    .replaceAll(/^\s*\{\{[^{}]*\}\}/gm, '')
    .split('\n')
    .filter((line) => !/^\s*(?:#.*)?$/.test(line));
  return lines.length > 0 && lines.every((line) => /^[A-Za-z_]\w*='/.test(line));
}
