import type { ConfigEntry } from '../../load/entry.ts';
import { valueAt } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import type { ExecConfig } from './config.ts';

/** The configuration of exec without the section `exec`, which needs none of the code for it. */
export const EXEC_DEFAULTS: ExecConfig = {
  onChange: { kind: 'restart' },
  stopSignal: 'SIGTERM',
  graceMs: 30_000,
  onExit: 'end',
  pristine: false,
  inherit: [],
};

/** Refuses steps of reloads with `child: true`; for a configuration without the section `exec`, which has the child. */
export function checkChildSteps(entries: ReadonlyMap<string, ConfigEntry>, problems: Problems): void {
  for (const { file, path } of entries.values()) {
    const steps = valueAt(file.tree, [...path, 'reload']);
    for (const index of Array.isArray(steps) ? steps.keys() : []) {
      for (const kind of ['signal', 'restart']) {
        const at = [...path, 'reload', index, kind, 'child'];
        if (valueAt(file.tree, at) !== true) continue;
        const hint = 'Add the section exec (`exec: {}` will do), or use a pidFile, a process or a command.';
        problems.add('CONFIG_MISSING', file, at, 'only exec has a child, and there is no section exec', hint);
      }
    }
  }
}
