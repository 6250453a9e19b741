'use strict';

// node-vault requires axios when it is loaded (73 ms, 70 MiB) and uses it only without a requester of ours. The bundle
// and the tests put this in its place.
const refuse = () => {
  throw new TypeError('axios is not part of Pannier: node-vault runs over src/http/transport.ts');
};

module.exports = { create: refuse, request: refuse };
