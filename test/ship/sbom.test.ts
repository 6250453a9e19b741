import { readFileSync } from 'node:fs';
import type { Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { billOfMaterials } from '../../scripts/sbom.ts';

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
}

const REGISTRY = 'https://registry.npmjs.org/';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
const metafile = JSON.parse(readFileSync('dist/meta.json', 'utf8')) as Metafile;
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

describe('the bill of materials', () => {
  it('names exactly what is bundled, with version, licence and hash', () => {
    const bill = billOfMaterials(metafile, version);
    const paths = Object.values(metafile.outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput === 0 ? [] : [path])),
    );
    const used = paths.flatMap((path) => {
      const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path) ?? [];
      return name === undefined ? [] : [name];
    });
    expect(new Set(bill.components.map(({ name }) => name))).toEqual(new Set(used));
    for (const { name, version: of, purl, hashes, licenses } of bill.components) {
      expect(purl).toBe(`pkg:npm/${name.replace('@', '%40')}@${of}`);
      expect(hashes?.[0]?.content, name).toMatch(/^[0-9a-f]{128}$/);
      const [{ expression } = { expression: '' }] = licenses ?? [];
      expect(expression, name).toMatch(/^\(?(?:MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|Unlicense|BlueOak-1\.0\.0)/);
    }
    expect(new Set(bill.components.map((one) => one['bom-ref'])).size).toBe(bill.components.length);
  });

  it('is what the build wrote, in the form of CycloneDX', () => {
    const written = JSON.parse(readFileSync('dist/sbom.cdx.json', 'utf8'));
    expect(written).toEqual(billOfMaterials(metafile, version));
    expect(written).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      metadata: { component: { name: 'pannier' } },
    });
  });
});

describe('the lock file', () => {
  it('has a hash for every package, and no package from elsewhere than the registry', () => {
    const wrong = Object.entries(packages).filter(
      ([path, { integrity, resolved }]) =>
        path !== '' && !(integrity?.startsWith('sha512-') && (resolved ?? REGISTRY).startsWith(REGISTRY)),
    );
    expect(wrong.map(([path]) => path)).toEqual([]);
  });

  it('pins every dependency of package.json exactly', () => {
    const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const [name, wanted] of Object.entries(devDependencies))
      expect(packages[`node_modules/${name}`]?.version).toBe(wanted);
  });
});
