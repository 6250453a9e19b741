import { readFile, writeFile } from 'node:fs/promises';
import { cellsOf, HEADINGS, isMet, REPORTS, type Report, type Row } from './report.ts';

/** How much of the machine others took while a group ran. */
export interface Calm {
  readonly othersShare: number;
  readonly isQuiet: boolean;
}

const PAGE = 'docs/benchmarks.md';
const DATA = 'docs/benchmarks.json';
const BEGIN = '<!-- by hand: kept across runs -->';
const END = '<!-- end -->';
const BY_HAND = `${BEGIN}\n\n## What the gaps are made of\n\nNothing is written here yet.\n\n${END}`;

const TITLES: Readonly<Record<string, string>> = {
  init: '`init`: a start with so many secrets',
  idle: '`run` at rest',
  poll: '`run`, while secrets are read again and are unchanged',
  api: 'Reads over the local API',
  proxy: 'Reads through the proxy',
  change: 'A new value',
  scale: 'Ten thousand secrets',
};

/** Writes the page and its figures from what every group left; what is written by hand in the page stays. */
export async function writeDocs(groups: readonly string[], calm: ReadonlyMap<string, Calm>): Promise<void> {
  const reports: Report[] = [];
  const before = await readFile(DATA, 'utf8').then(
    (text) => (JSON.parse(text) as { readonly groups: readonly Report[] }).groups,
    () => [],
  );
  for (const group of groups) {
    const text = await readFile(`${REPORTS}/${group}.json`, 'utf8').catch(() => undefined);
    const known = before.find((one) => one.group === group);
    const report = text === undefined ? known : (JSON.parse(text) as Report);
    if (report === undefined || report.quick) return console.error(`${group} is not measured: ${PAGE} stays as it is`);
    const { details: _, ...rest } = report;
    const share = calm.get(group)?.othersShare;
    reports.push({ ...rest, ...(share === undefined ? {} : { othersShare: Math.round(share * 1_000) / 1_000 }) });
  }
  await writeFile(DATA, `${JSON.stringify({ groups: reports }, null, 2)}\n`);
  await writeFile(PAGE, pageOf(reports, await readFile(PAGE, 'utf8').catch(() => ''), calm));
  console.log(`\nwritten: ${PAGE}, ${DATA}`);
}

function pageOf(reports: readonly Report[], before: string, calm: ReadonlyMap<string, Calm>): string {
  const [first] = reports as [Report, ...Report[]];
  const { cores, cpu, node, bao } = first.machine;
  const goals = reports.flatMap(({ rows }) => rows).filter(({ goal }) => goal !== undefined);
  const missed = goals.filter((row) => isMet(row) === false);
  const loud = [...calm].filter(([, { isQuiet }]) => !isQuiet).map(([name]) => name);
  return `# Benchmarks

Pannier beside \`bao agent\` on the same work: the same OpenBao server, the same login, the same secrets, files on tmpfs,
on one machine in one session. \`npm run bench\` measures and writes this page and the figures beside it
([benchmarks.json](benchmarks.json)).

${cores} cores (${cpu}), Node ${node}, OpenBao ${bao}, ${first.at.slice(0, 10)}.${loud.length === 0 ? '' : ` **The machine was not quiet during: ${loud.join(', ')}.**`}
${goals.length - missed.length} of ${goals.length} goals are met${missed.length === 0 ? '.' : `; missed: ${missed.map(({ work }) => work).join('; ')}.`}

A ratio is Pannier's figure through that of \`bao agent\`; the floor is a program that does nothing else, as said above
each table.

${reports.map((report) => sectionOf(report)).join('\n')}
${byHand(before)}
`;
}

function sectionOf({ group, how, rows }: Report): string {
  const used = HEADINGS.map((_, column) => column < 3 || rows.some((row) => cellsOf(row)[column] !== ''));
  const line = (cells: readonly string[]) => `| ${cells.filter((_, column) => used[column]).join(' | ')} |`;
  const rule = HEADINGS.map((_, column) => (column === 0 ? '---' : '--:'));
  const body = rows.map((row: Row) =>
    line(cellsOf(row).map((cell) => cell.replaceAll('<=', '≤').replaceAll('>=', '≥'))),
  );
  return `## ${TITLES[group] ?? group}\n\n${how}\n\n${[line(HEADINGS), line(rule), ...body].join('\n')}\n`;
}

function byHand(page: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  return begin < 0 || end < begin ? BY_HAND : page.slice(begin, end + END.length);
}
