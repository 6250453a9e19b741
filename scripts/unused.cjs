'use strict';

// In place of what a library loads when it starts and never uses here, see build.ts.
module.exports = () => () => {};
