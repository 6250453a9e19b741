import { amountOf } from './pod/amount.ts';
import type { PodSettings } from './settings.ts';

/** Kubernetes asks for warnings that are no longer; those of more than 256 characters may be cut by others. */
export const MAX_WARNING = 120;

const NO_EFFECT = 'no effect with Pannier: ';

/** An agent with less is ended by the kernel now and then: docs/how-to/kubernetes.md says what it needs. */
const LEAST_MEMORY = amountOf('80Mi') ?? 0;

/**
 * What is told of a pod that gets its agent.
 * @param idle full names of annotations that have no effect; each one is named.
 */
export function warningsOf(idle: readonly string[], { limits: { memory } }: PodSettings): readonly string[] {
  const lines: string[] = [];
  for (const name of idle) {
    const longer = `${lines.at(-1)}, ${name}`;
    if (lines.length > 0 && longer.length <= MAX_WARNING) lines[lines.length - 1] = longer;
    else lines.push(NO_EFFECT + name);
  }
  const amount = memory === undefined ? undefined : amountOf(memory);
  if (amount !== undefined && amount < LEAST_MEMORY) {
    lines.push(`the limit of ${memory} of memory is small: the agent needs about 60 MiB, and by default it has 128Mi`);
  }
  return lines;
}
