import { describe, expect, it } from 'vitest';
import { operationOf } from '../../src/observe/operation-of.ts';

describe('the operation of a request', () => {
  it.each([
    ['POST auth/kubernetes/login', 'login'],
    ['POST auth/team/a/approle/login', 'login'],
    ['POST auth/userpass/login/shop', 'login'],
    ['GET auth/token/lookup-self', 'look-up-login'],
    ['POST auth/token/renew-self', 'renew-login'],
    ['PUT auth/token/revoke-self', 'revoke-login'],
    ['GET sys/internal/ui/mounts/secret/shop/app', 'look-up-mount'],
    ['PUT sys/leases/renew', 'renew-lease'],
    ['POST sys/wrapping/unwrap', 'unwrap'],
    ['GET secret/data/shop/app', 'read'],
    ['GET /secret/data/auth/x/login', 'read'],
    ['GET (computed path)', 'read'],
    ['LIST secret/metadata/shop', 'list'],
    ['POST pki/issue/shop', 'write'],
    ['secretsmanager GetSecretValue', 'GetSecretValue'],
    ['ssm GetParametersByPath', 'GetParametersByPath'],
    ['sts prod/stripe', 'other'],
    ['secretsmanager', 'other'],
    ['BREW secret/data/shop/app', 'other'],
    ['', 'other'],
  ])('%s is %s', (call, operation) => {
    expect(operationOf(call)).toBe(operation);
  });
});
