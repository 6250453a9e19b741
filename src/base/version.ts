declare const PANNIER_VERSION: string | undefined;

/** The version of package.json, put in by the bundler; `0.0.0-src` when run from the sources. */
export const version = typeof PANNIER_VERSION === 'string' ? PANNIER_VERSION : '0.0.0-src';
