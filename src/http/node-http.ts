/**
 * Node's HTTP modules without their ESM façade. `import http from 'node:http'` reads every export of the module, also
 * the lazy `WebSocket`, which loads undici: 13 MiB and 20 ms. `node:https` brings TLS along (4 MiB), which plain HTTP
 * and unix sockets never need, so it is asked for where it is used.
 */
export const loadHttp = () => process.getBuiltinModule('node:http');

export const loadHttps = () => process.getBuiltinModule('node:https');

export const loadTls = () => process.getBuiltinModule('node:tls');
