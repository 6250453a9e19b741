/** Environment with every debug output of Node and of libraries. */
export const LOUD = { DEBUG: '*', NODE_DEBUG: 'http,https,net,tls,stream,fs,module,child_process', NODE_OPTIONS: '' };
