import { readdirSync, readFileSync } from 'node:fs';
import type { Metafile } from 'esbuild';
import { bundledFolders } from './sbom.ts';

/** The licence texts of every package in the bundles, since most licences require that their text is passed on. */
export function thirdPartyNotices(metafile: Metafile): string {
  const packages = bundledFolders(metafile).map(readPackage);
  return packages.map((item) => noticeOf(item, packages)).join('\n');
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly repository: string;
  /** The texts of its licence files. */
  readonly texts: readonly string[];
}

function readPackage(folder: string): Package {
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Omit<Package, 'repository'> & {
    readonly repository?: string | { readonly url: string };
  };
  const { name, version, license, repository = '' } = manifest;
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)([.-].*)?$/i.test(file));
  const texts = files.map((file) => readFileSync(`${folder}/${file}`, 'utf8').trim());
  return { name, version, license, repository: typeof repository === 'string' ? repository : repository.url, texts };
}

/** A package without a licence file gets the text of another package of its repository and licence. */
function noticeOf({ name, version, license, repository, texts }: Package, all: readonly Package[]): string {
  const sibling = all.find(
    (other) => other.repository === repository && other.license === license && other.texts.length > 0,
  );
  const found = texts.length > 0 ? texts : sibling?.texts;
  if (found === undefined) throw new Error(`${name} is in a bundle and has no licence file`);
  return `${'='.repeat(80)}\n${name} ${version}\n\n${found.join('\n\n')}\n`;
}
