/** How many names one fact lists. */
const MAX_TOLD = 10;

/** What a log shows of a name that a client sent. */
const SHOWN_NAME = /^[!-~]{1,253}$/;

export const shownName = (name: string): string =>
  SHOWN_NAME.test(name.replaceAll(' ', '')) ? name : '[a name that is not shown]';

export const shownNames = (names: readonly string[]): readonly string[] => names.slice(0, MAX_TOLD).map(shownName);
