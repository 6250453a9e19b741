/** The last part of a secret's ARN: a dash and six characters that are not part of the name. */
const END = /-[A-Za-z0-9]{6}$/;

const SECRET_ARN = /^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:(.+)$/;
const PARAMETER_ARN = /^arn:[^:]*:ssm:[^:]*:[^:]*:parameter(\/.+)$/;

interface Pattern {
  readonly isArn: boolean;
  readonly matches: (text: string) => boolean;
  /** For a pattern of ARNs: whether an ARN that it matches may have this name. */
  readonly mayName: (name: string) => boolean;
}

/**
 * The names that clients may read on demand. In a pattern `*` stands for any characters, slashes included, and every
 * other character for itself. A pattern that begins with `arn:` is compared with ARNs, any other with names.
 *
 * A name is looked at twice: as the client wrote it, so that nothing is sent for one that no pattern can mean, and as
 * the service answered it, since only the service knows where the name in an ARN ends.
 */
export class AllowedNames {
  readonly #patterns: readonly Pattern[];

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(patternOf);
  }

  /** Whether a secret with this name or ARN may be asked for. */
  maySecret(id: string): boolean {
    const name = SECRET_ARN.exec(id)?.[1];
    if (name === undefined) return this.#patterns.some((one) => (one.isArn ? one.mayName(id) : one.matches(id)));
    const names = [name, name.replace(END, '')];
    // An ARN without its end may be meant by a pattern that ends in one, or in -??????.
    const arns = [id, `${id}-XXXXXX`];
    return this.#patterns.some((one) => (one.isArn ? arns : names).some(one.matches));
  }

  /** Whether a secret that the service answered with this name and ARN may be shown. */
  isSecret(name: string, arn: string): boolean {
    const arns = [arn, arn.replace(END, '')];
    return this.#patterns.some((one) => (one.isArn ? arns.some(one.matches) : one.matches(name)));
  }

  /** Whether a parameter with this name or ARN, perhaps with a version or label, may be asked for. */
  mayParameter(id: string): boolean {
    const names = parameterNames(id);
    return this.#patterns.some((one) => names.some(one.isArn ? one.mayName : one.matches) || one.matches(id));
  }

  /** Whether a parameter that the service answered with this name and ARN may be shown. */
  isParameter(name: string, arn: string): boolean {
    // The service gives the name of a parameter of another account as its ARN.
    const names = parameterNames(name);
    return this.#patterns.some((one) => (one.isArn ? one.matches(arn) : names.some(one.matches)));
  }
}

/** The names that an id may mean: an ARN does not tell `/url` from `url`. */
function parameterNames(id: string): readonly string[] {
  const path = PARAMETER_ARN.exec(id)?.[1];
  const names = path === undefined ? [id] : [path, path.slice(1)];
  return names.map((name) => name.split(':')[0] as string);
}

function patternOf(text: string): Pattern {
  const matches = matcher(text);
  if (!text.startsWith('arn:')) return { isArn: false, matches, mayName: matches };
  const ofName = SECRET_ARN.exec(text)?.[1] ?? PARAMETER_ARN.exec(text)?.[1];
  // A pattern with a * before the name may mean any name: what the service answers decides.
  if (ofName === undefined) return { isArn: true, matches, mayName: () => true };
  const [whole, base] = [matcher(ofName), matcher(ofName.replace(END, ''))];
  const mayName = (name: string) => {
    return whole(name) || base(name) || whole(`${name}-XXXXXX`) || whole(`/${name}`);
  };
  return { isArn: true, matches, mayName };
}

/**
 * Compares with a pattern in time proportional to both lengths: the parts between the stars are looked for one after
 * the other. A regular expression with many stars would go back and forth for ever.
 */
function matcher(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= text.length - last.length;
  };
}
