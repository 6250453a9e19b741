import type { ExecCommandOptions } from './exec.ts';
import type { AgentOptions } from './find-agent.ts';
import type { GetCommandOptions } from './get.ts';
import type { InitCommandOptions } from './init.ts';
import type { Probe } from './probe.ts';
import type { RenderCommandOptions } from './render.ts';
import type { CommonOptions } from './setup.ts';
import type { StatusCommandOptions } from './status.ts';

/** What a command line asks for: a command, with its options as the command takes them. */
export type Choice =
  | { readonly command: 'init'; readonly options: InitCommandOptions }
  | { readonly command: 'run'; readonly options: CommonOptions }
  | { readonly command: 'exec'; readonly options: ExecCommandOptions }
  | { readonly command: 'render'; readonly options: RenderCommandOptions }
  | { readonly command: 'validate'; readonly options: CommonOptions }
  | { readonly command: 'get'; readonly name: string; readonly options: GetCommandOptions }
  | { readonly command: 'status'; readonly options: StatusCommandOptions }
  | { readonly command: 'probe'; readonly check: Probe; readonly options: AgentOptions; readonly timeoutMs?: number }
  | { readonly command: 'schema' }
  | { readonly command: 'explain'; readonly key?: string }
  | { readonly command: 'demo'; readonly options: { readonly openbao?: boolean } };

/** How long `init` and `render` take at most when the command line does not say it. */
export const INIT_TIMEOUT_MS = 60_000;

/** Runs the chosen command, whose code is loaded now. Answers the exit status. */
export async function runChoice(choice: Choice): Promise<number> {
  switch (choice.command) {
    case 'init':
      return (await import('./init.ts')).initCommand(choice.options);
    case 'run':
      return (await import('./run.ts')).runPannier(choice.options);
    case 'exec':
      return (await import('./exec.ts')).execCommand(choice.options);
    case 'render':
      return (await import('./render.ts')).renderCommand(choice.options);
    case 'validate':
      return (await import('./validate.ts')).validateCommand(choice.options);
    case 'get':
      return (await import('./get.ts')).getCommand(choice.name, choice.options);
    case 'status':
      return (await import('./status.ts')).statusCommand(choice.options);
    case 'probe': {
      const { findHealth } = await import('./find-agent.ts');
      const { PROBE_TIMEOUT_MS, probeAt } = await import('./probe.ts');
      return probeAt(await findHealth(choice.options), choice.check, choice.timeoutMs ?? PROBE_TIMEOUT_MS);
    }
    case 'schema':
      return (await import('./schema.ts')).schemaCommand();
    case 'explain':
      return (await import('./explain.ts')).explainCommand(choice.key);
    case 'demo':
      return (await import('./demo.ts')).demoCommand(choice.options);
  }
}
