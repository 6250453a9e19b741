import { version } from '../base/version.ts';
import { print } from './print.ts';

/** `pannier version`: what a report of a problem should say. Returns the exit status. */
export async function versionCommand(): Promise<number> {
  await print(`pannier ${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}\n`);
  return 0;
}
