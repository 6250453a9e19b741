import type { Choice } from './choice.ts';

/** Runs the chosen command, whose code is loaded now. Answers the exit status. */
export async function runChoice(choice: Choice): Promise<number> {
  switch (choice.command) {
    case 'init':
      return (await import('./init.ts')).initCommand(choice.options);
    case 'run':
      return (await import('./run.ts')).runPannier(choice.options);
    case 'exec':
      return (await import('./exec.ts')).execCommand(choice.options);
    default:
      return (await import('./run-other.ts')).runOther(choice);
  }
}
