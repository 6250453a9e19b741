import type { DoctorCommandOptions } from './doctor.ts';
import type { ExecCommandOptions } from './exec.ts';
import type { AgentOptions } from './find-agent.ts';
import type { GetCommandOptions } from './get.ts';
import type { ImportCommandOptions } from './import.ts';
import type { InitCommandOptions } from './init.ts';
import type { InjectorCommandOptions } from './injector.ts';
import type { NewCommandOptions } from './new.ts';
import type { NotifyCommandOptions } from './notify.ts';
import type { PolicyCommandOptions } from './policy.ts';
import type { Probe } from './probe.ts';
import type { RenderCommandOptions } from './render.ts';
import type { CommonOptions } from './setup.ts';
import type { StatusCommandOptions } from './status.ts';
import type { ValidateCommandOptions } from './validate.ts';

/** What a command line asks for: a command, with its options as the command takes them. */
export type Choice =
  | { readonly command: 'init'; readonly options: InitCommandOptions }
  | { readonly command: 'run'; readonly options: CommonOptions }
  | { readonly command: 'exec'; readonly options: ExecCommandOptions }
  | { readonly command: 'render'; readonly options: RenderCommandOptions }
  | { readonly command: 'validate'; readonly options: ValidateCommandOptions }
  | { readonly command: 'doctor'; readonly options: DoctorCommandOptions }
  | { readonly command: 'policy'; readonly options: PolicyCommandOptions }
  | { readonly command: 'get'; readonly name: string; readonly options: GetCommandOptions }
  | { readonly command: 'status'; readonly options: StatusCommandOptions }
  | { readonly command: 'probe'; readonly check: Probe; readonly options: AgentOptions; readonly timeoutMs?: number }
  | { readonly command: 'rollback'; readonly output: string; readonly options: AgentOptions; readonly to?: number }
  | { readonly command: 'resume'; readonly output: string; readonly options: AgentOptions }
  | { readonly command: 'schema' }
  | { readonly command: 'version' }
  | { readonly command: 'completion'; readonly shell: Shell }
  | { readonly command: 'man' }
  | { readonly command: 'new'; readonly options: NewCommandOptions }
  | { readonly command: 'explain'; readonly key?: string }
  | { readonly command: 'import'; readonly options: ImportCommandOptions }
  | { readonly command: 'injector'; readonly options: InjectorCommandOptions }
  | { readonly command: 'notify'; readonly options: NotifyCommandOptions }
  | { readonly command: 'demo'; readonly options: { readonly openbao?: boolean } };

/** The shells that `pannier completion` has a script for. */
export type Shell = 'bash' | 'zsh' | 'fish';

/** How long `doctor` takes at most when the command line does not say it. */
export const DOCTOR_TIMEOUT_MS = 30_000;

/** How long `init` and `render` take at most when the command line does not say it. */
export const INIT_TIMEOUT_MS = 60_000;
