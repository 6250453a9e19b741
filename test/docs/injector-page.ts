import { ANNOTATIONS, PREFIX } from '../../src/injector/annotations/known.ts';

const MARK = '<!-- annotations -->';

/** docs/injector.md with the table of the code; everything else stays as it is in `current`. */
export function injectorPage(current: string): string {
  const rows = ANNOTATIONS.map(
    ({ name, value, default: standard = '', does }) => `| \`${PREFIX}${name}\` | ${value} | ${standard} | ${does} |`,
  );
  const table = ['| annotation | value | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
  const start = current.indexOf(MARK);
  if (start === -1) throw new Error(`docs/injector.md has no ${MARK}`);
  const rest = current.slice(start + MARK.length).replace(/^\n+(?:\|.*\n)*/, '');
  return `${current.slice(0, start)}${MARK}\n\n${table}\n\n${rest.replace(/^\n+/, '')}`;
}
