/**
 * `npm run audit`: known vulnerabilities of what is in the bundle. All libraries are development dependencies, which
 * `npm audit --omit=dev` passes over, so the answer is compared with the bill of materials of the build. Ends with 1
 * for one that is high or critical in a bundled package; others are told. Without an answer of the registry it says so
 * and ends with 0, since that says nothing about the code; with `--strict` it ends with 2.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { BillOfMaterials } from './sbom.ts';

interface Report {
  readonly error?: unknown;
  readonly vulnerabilities?: Readonly<Record<string, { readonly name: string; readonly severity: string }>>;
}

const { components } = JSON.parse(readFileSync('dist/sbom.cdx.json', 'utf8')) as BillOfMaterials;
const bundled = new Set(components.map(({ name }) => name));
const report = await audit();
if (report?.vulnerabilities === undefined || report.error !== undefined) {
  process.stdout.write('not audited: the registry gives no answer about vulnerabilities\n');
  process.exitCode = process.argv.includes('--strict') ? 2 : 0;
} else {
  const all = Object.values(report.vulnerabilities);
  const own = all.filter(({ name }) => bundled.has(name));
  const serious = own.filter(({ severity }) => severity === 'high' || severity === 'critical');
  for (const { name, severity } of own) process.stdout.write(`${severity}: ${name}, which is in the bundle\n`);
  process.stdout.write(
    `audited: ${bundled.size} bundled packages, ${own.length} with known vulnerabilities, ${serious.length} of them ` +
      `serious; ${all.length - own.length} in tools of the build and the tests\n`,
  );
  process.exitCode = serious.length === 0 ? 0 : 1;
}

/** Undefined without a report. npm ends with 1 when it found something. */
function audit(): Promise<Report | undefined> {
  const argv = ['audit', '--json', '--fetch-retries=1', '--fetch-timeout=20000'];
  return new Promise((resolve) => {
    execFile('npm', argv, { timeout: 60_000, maxBuffer: 2 ** 26 }, (_, stdout) => {
      try {
        resolve(JSON.parse(stdout) as Report);
      } catch {
        resolve(undefined);
      }
    });
  });
}
