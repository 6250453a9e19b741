/**
 * Loads Node's HTTP module without its ESM façade. `import http from 'node:http'` reads every export of the module,
 * also the lazy `WebSocket`, which loads undici: 13 MiB and 20 ms.
 */
export const loadHttp = () => process.getBuiltinModule('node:http');

/** Loads HTTPS and with it TLS (4 MiB), which plain HTTP and unix sockets never need: call it where TLS is used. */
export const loadHttps = () => process.getBuiltinModule('node:https');

export const loadTls = () => process.getBuiltinModule('node:tls');
