/** Reads every Pannier configuration in examples/, including those inside Kubernetes manifests. */
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

export interface Example {
  /** The file, and for a manifest the key of the ConfigMap. */
  readonly name: string;
  /** The folder that relative paths of the configuration start from. */
  readonly dir: string;
  readonly text: string;
}

/** A Kubernetes object, or any other map. */
export type Manifest = { readonly kind: string } & Record<string, unknown>;

/** What Helm and Kustomize make manifests of; helm.test.ts does it. */
const SOURCES = ['examples/helm/**', '**/kustomization.yaml'];

/** The Kubernetes manifests in examples/, by file. */
export function manifests(): ReadonlyMap<string, readonly Manifest[]> {
  const files = globSync('examples/**/*.yaml', { exclude: SOURCES }).sort();
  const read = files.map((file): [string, Manifest[]] => {
    const documents = parseAllDocuments(readFileSync(file, 'utf8'));
    return [file, (documents as { toJS(): Manifest }[]).map((document) => document.toJS())];
  });
  return new Map(read.filter(([, [first]]) => first !== undefined && 'apiVersion' in first));
}

export function configurations(): readonly Example[] {
  const files = globSync('examples/**/pannier.yaml')
    .sort()
    .map((name) => ({ name, dir: dirname(name), text: readFileSync(name, 'utf8') }));
  const inside = [...manifests()].flatMap(([file, objects]) =>
    objects
      .filter(({ kind }) => kind === 'ConfigMap')
      .flatMap(({ data }) => Object.entries(data as Record<string, string>))
      .map(([name, text]) => ({ name: `${file} ${basename(name)}`, dir: dirname(file), text })),
  );
  return [...files, ...inside];
}

/** The configuration as data. */
export const dataOf = ({ text }: Example): Record<string, Record<string, Record<string, unknown>>> => parse(text);
