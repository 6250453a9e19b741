import type { Resource } from '../config/config.ts';

/** One object of a cluster. */
export interface ObjectRef {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

/** The schema lets only names pass that need no encoding. */
export const pathOf = ({ resource, namespace, name }: ObjectRef): string =>
  `/api/v1/namespaces/${namespace}/${resource}/${name}`;

/** The path of a watch on the one object: authorizers see its name in the selector, so `resourceNames` is enough. */
export function watchPathOf({ resource, namespace, name }: ObjectRef, query: Readonly<Record<string, string>>): string {
  const all = new URLSearchParams({ watch: 'true', fieldSelector: `metadata.name=${name}`, ...query });
  return `/api/v1/namespaces/${namespace}/${resource}?${all}`;
}

export const kindWord = ({ resource }: Pick<ObjectRef, 'resource'>): string =>
  resource === 'secrets' ? 'Secret' : 'ConfigMap';

/** What a Role must have for one object, to be pasted below `rules`. */
export function ruleLine({ resource, name }: Pick<ObjectRef, 'resource' | 'name'>): string {
  return `{ apiGroups: [""], resources: [${resource}], resourceNames: [${name}], verbs: [get, watch] }`;
}
