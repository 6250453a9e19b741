import { readdirSync, readFileSync } from 'node:fs';
import type { Metafile } from 'esbuild';

/** The licences of everything of others that is in the bundles, as they ask to be handed on with it. */
export function thirdPartyNotices(bundles: readonly Metafile[]): string {
  const outputs = bundles.flatMap((bundle) => Object.values(bundle.outputs));
  const inputs = outputs.flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  return [...folders].sort().map(noticeOf).join('\n');
}

function noticeOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Record<string, string>;
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)([.-].*)?$/i.test(file));
  if (files.length === 0) throw new Error(`${name} is in a bundle and has no licence file`);
  const texts = files.map((file) => readFileSync(`${folder}/${file}`, 'utf8').trim());
  return `${'='.repeat(80)}\n${name} ${version}\n\n${texts.join('\n\n')}\n`;
}
