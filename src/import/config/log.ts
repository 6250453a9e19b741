import type { Draft } from './draft.ts';
import type { Stanza } from './stanza.ts';

const LEVELS: Readonly<Record<string, string>> = {
  trace: 'trace',
  debug: 'debug',
  notice: 'info',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  err: 'error',
};

/** `log_level`, `log_format` and `log_file`. */
export function convertLog(root: Stanza, { log, notes }: Draft): void {
  const given = root.text('log_level');
  const level = LEVELS[given?.toLowerCase() ?? ''];
  if (given !== undefined && level === undefined) {
    notes.problem(root.placeOf('log_level'), 'log_level is no level', 'Write log.level: info.');
  }
  log.set('level', level === 'info' ? undefined : level);
  const format = root.text('log_format');
  if (format === 'json') log.set('format', 'json');
  const file = root.block('log_file')?.stanza.text('path') ?? root.text('log_file');
  if (file === undefined || file === '') return;
  log.set('file', file.endsWith('/') ? `${file}pannier.log` : file);
}
