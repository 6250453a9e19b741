declare const PANNIER_VERSION: string | undefined;

/** Pannier's version from package.json, set by the bundler; `0.0.0-src` when it runs from the sources. */
export const version = typeof PANNIER_VERSION === 'string' ? PANNIER_VERSION : '0.0.0-src';
