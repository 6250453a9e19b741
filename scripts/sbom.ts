import { readFileSync } from 'node:fs';
import type { Metafile } from 'esbuild';

/** One library of a bill of materials in the form of CycloneDX 1.5. */
export interface Component {
  readonly type: 'library' | 'application';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: 'SHA-512'; readonly content: string }[];
  readonly licenses?: readonly { readonly expression: string }[];
}

export interface BillOfMaterials {
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: '1.5';
  readonly version: 1;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
}

/** The folders in `node_modules` of all packages of which something is in a bundle, sorted. */
export function bundledFolders({ outputs }: Pick<Metafile, 'outputs'>): readonly string[] {
  const inputs = Object.values(outputs)
    .flatMap(({ inputs: all }) => Object.entries(all).map(([path, { bytesInOutput }]) => ({ path, bytesInOutput })))
    .filter(({ bytesInOutput }) => bytesInOutput > 0);
  return [...new Set(inputs.flatMap(({ path }) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []))].sort();
}

interface Locked {
  readonly version: string;
  readonly integrity?: string;
}

/**
 * What is in the bundles: each package with its version, licence, and the hash of its archive in the registry. It has
 * no time and no random number, so the same input gives the same bytes.
 * @throws when a bundled package is not in the lock file, or has no hash there.
 */
export function billOfMaterials(metafile: Pick<Metafile, 'outputs'>, version: string): BillOfMaterials {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const own = { name: 'pannier', version, license: 'Apache-2.0' };
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { ...componentOf(own), type: 'application' } },
    components: bundledFolders(metafile).map((folder) => {
      const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as typeof own;
      const locked = packages[folder];
      if (locked?.integrity === undefined || locked.version !== manifest.version) {
        throw new Error(`${folder} is in a bundle, and not with this version and a hash in package-lock.json`);
      }
      return componentOf(manifest, locked.integrity);
    }),
  };
}

/** A program that goes with the bundle, such as Node in the image. */
export function program(name: string, version: string, license: string): Component {
  return { ...componentOf({ name, version, license }), type: 'application', purl: `pkg:generic/${name}@${version}` };
}

function componentOf(
  { name, version, license }: { readonly name: string; readonly version: string; readonly license?: string },
  integrity?: string,
): Component {
  const [, base64 = ''] = /^sha512-(.+)$/.exec(integrity ?? '') ?? [];
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const content = Buffer.from(base64, 'base64').toString('hex');
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    ...(content === '' ? {} : { hashes: [{ alg: 'SHA-512', content }] }),
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
  };
}
