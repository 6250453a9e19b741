'use strict';

// build.ts puts this in the place of modules that a library loads at start and that Pannier never uses.
module.exports = () => () => {};
