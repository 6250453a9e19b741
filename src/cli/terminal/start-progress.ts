import { systemClock } from '../../base/clock.ts';
import { stderrLine } from '../../log/terminal/status-line.ts';
import { Progress } from './progress.ts';

/** The progress on this process's standard error. */
export const startProgress = (): Progress => new Progress(systemClock, stderrLine);
