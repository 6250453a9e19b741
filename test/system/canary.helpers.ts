/** Environment with every debug output of Node and of libraries; the last two are of the YAML library. */
export const LOUD = {
  DEBUG: '*',
  NODE_DEBUG: 'http,https,net,tls,stream,fs,module,child_process',
  NODE_OPTIONS: '',
  LOG_STREAM: 'prod/shop/1',
  LOG_TOKENS: '1',
};
