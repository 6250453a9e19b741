'use strict';

// node-vault requires axios when it is loaded (73 ms, 70 MiB), and uses it only when no requester is given. The bundle
// and the tests put this file in its place.
const refuse = () => {
  throw new TypeError('axios is not part of Pannier: node-vault runs over src/http/transport.ts');
};

module.exports = { create: refuse, request: refuse };
