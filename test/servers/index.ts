/** Real servers for tests: each starts on 127.0.0.1, in its own temporary directory, and ends with the test process. */
export { lintWorkflows } from './actionlint.ts';
export {
  ensureOpenBao,
  ensureOpenBaoFolder,
  ensurePythonPackages,
  ensureWheelBinary,
  openBaoVersion,
  type PythonPackages,
  type WheelBinary,
} from './cache.ts';
export { type Authority, type CertificateRequest, createAuthority, type KeyPair } from './certificates.ts';
export { type DnsServer, startDns } from './dns.ts';
export { type Envoy, type EnvoyOptions, ensureEnvoy, envoyVersion, noEnvoy, startEnvoy } from './envoy.ts';
export { findFreePort } from './free-port.ts';
export { ensureGoProgram } from './go-program.ts';
export { type AwsUser, ensureMoto, type Moto, motoVersion, startMoto } from './moto.ts';
export { type OpenBao, type OpenBaoOptions, type OpenBaoTls, startOpenBao } from './openbao.ts';
export type { AuditedRequest } from './openbao-audit.ts';
export { addStaticRole, enableAcme, enableDatabase, enableKv, enablePki, writePolicy } from './openbao-engines.ts';
export {
  type AppRole,
  enableAppRole,
  enableCertAuth,
  enableJwtAuth,
  enableKubernetesAuth,
  enableUserpass,
} from './openbao-logins.ts';
export { type OpenBaoProxy, type OpenBaoProxyOptions, startOpenBaoProxy } from './openbao-proxy.ts';
export { type Answer, type Caller, OpenBaoError } from './openbao-request.ts';
export { type DecodedSpan, type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';
export { hasGo, type Pebble, startPebble } from './pebble.ts';
export { type Postgres, startPostgres } from './postgres.ts';
export { type MintOptions, startTokenReview, type TokenReview } from './token-review.ts';
export { shopPolicy, startWorld, type World, type WorldOptions } from './world.ts';
