const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * What any environment and any program that lists it can carry: `render --out` makes a file of the name, so it has no
 * slash and does not begin with a dot.
 */
const ANY = /^(?!\.)[^\s=/\p{Cc}\p{Cs}]+$/u;

/** Whether a shell can name the variable; `any`: whether an environment can carry it. */
export const isVariableName = (name: string, names?: 'any'): boolean => (names === 'any' ? ANY : IDENTIFIER).test(name);

/** What messages say about the names that `isVariableName` takes. */
export const variableNameRule = (names?: 'any'): string =>
  names === 'any'
    ? 'the name of a variable has no white space, no =, no / and no control character, and does not begin with a dot'
    : 'the name of a variable begins with a letter or _ and goes on with letters, digits and _';
