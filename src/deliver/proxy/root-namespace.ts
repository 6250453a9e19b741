import { plainNamespace } from './namespace.ts';

/** The headers of a request, as pairs and by name. */
export interface RequestHeaders {
  readonly passed: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/** `X-Vault-Namespace`, and the namespace in which OpenBao logs a request in. */
const NAMESPACES = /^x-vault-(?:inline-auth-)?namespace$/;
const NAME = 'x-vault-namespace';

/**
 * What a client could write to leave the root that it is shown, if any server or proxy on the way decoded it. `.` and
 * `..` are refused in every request.
 */
const ODD = /[%\\\0]/;

/**
 * The headers with their namespaces below `root`, which the client sees as the root namespace: Vault Proxy does the
 * same with `prepend_configured_namespace`. Undefined: a namespace is written so that it might lead out of `root`.
 */
export function belowRoot({ passed, headers }: RequestHeaders, root: string): RequestHeaders | undefined {
  const below = (given: string) => [root, plainNamespace(given)].filter((part) => part !== '').join('/');
  const moved: string[] = [];
  for (let i = 0; i < passed.length; i += 2) {
    const [name, value] = [passed[i] as string, passed[i + 1] as string];
    if (!NAMESPACES.test(name.toLowerCase())) moved.push(name, value);
    else if (ODD.test(value)) return undefined;
    else moved.push(name, below(value));
  }
  if (headers[NAME] === undefined) moved.push('X-Vault-Namespace', root);
  const named = Object.entries(headers).map(([name, value]) => [name, NAMESPACES.test(name) ? below(value) : value]);
  return { passed: moved, headers: { ...Object.fromEntries(named), [NAME]: below(headers[NAME] ?? '') } };
}
