import type { Choice } from './choice.ts';

/** The commands that no agent is started with; so a start does not load even the list of them. */
export type OtherChoice = Exclude<Choice, { command: 'init' | 'run' | 'exec' }>;

/** Runs the chosen command, whose code is loaded now. Answers the exit status. */
export async function runOther(choice: OtherChoice): Promise<number> {
  switch (choice.command) {
    case 'validate':
      return (await import('./validate.ts')).validateCommand(choice.options);
    case 'render':
      return (await import('./render.ts')).renderCommand(choice.options);
    case 'doctor':
      return (await import('./doctor.ts')).doctorCommand(choice.options);
    case 'policy':
      return (await import('./policy.ts')).policyCommand(choice.options);
    case 'get':
      return (await import('./get.ts')).getCommand(choice.name, choice.options);
    case 'status':
      return (await import('./status.ts')).statusCommand(choice.options);
    case 'rollback':
    case 'resume':
      return (await import('./ask-output.ts')).askOutputCommand(choice);
    case 'probe': {
      const { findHealth } = await import('./find-agent.ts');
      const { PROBE_TIMEOUT_MS, probeAt } = await import('./probe.ts');
      return probeAt(await findHealth(choice.options), choice.check, choice.timeoutMs ?? PROBE_TIMEOUT_MS);
    }
    case 'schema':
      return (await import('./schema.ts')).schemaCommand();
    case 'version':
      return (await import('./version.ts')).versionCommand();
    case 'completion':
      return (await import('./completion.ts')).completionCommand(choice.shell);
    case 'man':
      return (await import('./man.ts')).manCommand();
    case 'new':
      return (await import('./new.ts')).newCommand(choice.options);
    case 'explain':
      return (await import('./explain.ts')).explainCommand(choice.key);
    case 'import':
      return (await import('./import.ts')).importCommand(choice.options);
    case 'injector':
      return (await import('./injector.ts')).injectorCommand(choice.options);
    case 'notify':
      return (await import('./notify.ts')).notifyCommand(choice.options);
    case 'demo':
      return (await import('./demo.ts')).demoCommand(choice.options);
  }
}
