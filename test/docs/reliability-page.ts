import { CASES } from '../faults/cases/index.ts';
import type { Reliability } from '../faults/figures.ts';
import type { SoakFigures } from '../faults/soak-verdict.ts';

const INTRO = `# Reliability

Pannier is never the reason that an application is down. This page says what happens in each fault, as a run of the fault
suite saw it: \`npm run test:faults\` makes each fault for real, in front of a real OpenBao or of moto (AWS), and writes the
tables. A short form of the same cases is a part of \`npm test\`.

In each case an agent polls one secret every half a second and publishes it in three files. One program reads the files all
the time, another one the local API. The backend gives the secret another value while the fault lasts, about 20 s. These
things are asserted in each case: no file and no answer is missing, empty, cut or older than one before; the files of one
generation fit together; status says what the table says; requests to the backend stay below a limit of their own; after the
fault the new value is published and the secret is fresh. The figures are of the last full run, on two busy cores, and
nothing depends on them.

- **status in the fault**: state of the secret, code, and whether \`/readyz\` answers 200.
- **requests in the fault**: to the backend, answered or not; an agent that is well makes two in a second here.
- **after it**: requests in the busiest second of the recovery.
- **fresh again**: from the end of the fault until readers have the new value. Retries wait up to 30 s in a long outage, at
  random, so that a fleet does not come back in one instant; \`pannier status\` shows when the next one is due, and a
  [refresh](api.md#asking-for-something) asks at once.
`;

/** docs/reliability.md, made of the cases and of what runs have measured. */
export function reliabilityPage({ cases, soak }: Reliability): string {
  const groups = Map.groupBy(CASES, ({ group }) => group);
  const tables = [...groups].map(([group, some]) => {
    const rows = some.map(({ id, fault, on }) => {
      const { status, readers, asked, recovery, fresh } = cases[id] ?? NOT_RUN;
      return `| ${fault}<br>\`${id}\` | ${on} | ${status} | ${readers} | ${asked} | ${recovery} | ${fresh} |`;
    });
    return `## ${group}\n\n${HEAD}\n${rows.join('\n')}\n`;
  });
  return `${INTRO}\n<!-- made by npm run test:faults -->\n\n${tables.join('\n')}\n${soakPart(soak)}`;
}

const NOT_RUN = { status: 'not run', readers: '', asked: '', recovery: '', fresh: '' };
const HEAD = `| fault | backend | status in the fault | readers see | requests in the fault | after it | fresh again |
| --- | --- | --- | --- | --- | --- | --- |`;

function soakPart(soak: SoakFigures | undefined): string {
  const intro = `## Soak

\`npm run soak\` lasts half an hour: a value changes each second, faults of the kinds above come at random, 13 further secrets
are polled or renewed, an application is reloaded, four programs read the local API and one the files. A value has to be seen by
each of them when it was the newest one for a second in which no fault was played, the secret was fresh, and the machine had time.

Memory grows in steps when bodies without end are read over many connections at once: each may have 16 MiB. Without them it
stays where it is.
`;
  if (soak === undefined) return `${intro}\nIt was not run yet.\n`;
  const { residentMiB: rss, descriptors } = soak;
  const rows = [
    ['lasted', `${soak.seconds} s`],
    ['faults', `${soak.faults} of ${soak.kinds} kinds`],
    [
      'values; those that had to be seen, and how many of these were missed',
      `${soak.values}; ${soak.judged}, ${soak.missed}`,
    ],
    ['looks at files, reads of the API', `${soak.fileReads}, ${soak.apiReads}`],
    ['mixed generations, missing or cut files, older values', String(soak.mixed)],
    ['reloads', String(soak.reloads)],
    ['requests to the backend', String(soak.requests)],
    ['memory after 3 minutes, at the end', `${rss.early.toFixed(1)} MiB, ${rss.late.toFixed(1)} MiB`],
    ['open descriptors after 3 minutes, at the end', `${descriptors.early}, ${descriptors.late}`],
    ['processor time', `${soak.cpuMsPerSecond.toFixed(0)} ms per second`],
  ];
  return `${intro}\n| | |\n| --- | --- |\n${rows.map(([what, shown]) => `| ${what} | ${shown} |`).join('\n')}\n`;
}
