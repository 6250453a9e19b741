import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { apiRoutes } from '../../../src/deliver/api/create-api.ts';
import { openApi } from '../../../src/deliver/api/openapi.ts';
import { apiWorld } from './api.helpers.ts';
import { checkDescribed, described } from './openapi.helpers.ts';

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const found = await validator.validate({ ...openApi('1.2.3') });
    expect([found.errors, validator.version]).toEqual([undefined, '3.1']);
  });

  it('describes every route, and no other', () => {
    const rows = apiRoutes({ agent: {} } as never).map(
      ({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
    );
    const operations = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(rows.length).toBeGreaterThan(12);
    expect(operations.sort()).toEqual(rows.sort());
  });

  it('describes what each route answers to a good request', async () => {
    const { backend, start, get, clock } = await apiWorld(['app'], { control: true });
    backend.set('app', { password: '1' }, backend.lease(60_000));
    await start();
    const met: string[] = [];
    const good = async (url: string, method = 'GET') => {
      const { status } = await get(url, {}, method);
      met.push(`${status} ${method} ${url}`);
      return status;
    };
    for (const url of [
      '/v1/secrets',
      '/v1/secrets/app',
      '/v1/secrets/app/password',
      '/v1/status',
      '/v1/openapi.json',
      '/ping',
      '/secretsmanager/get?secretId=app',
      '/v1/app',
    ]) {
      expect([url, await good(url)]).toEqual([url, 200]);
      expect((await get(url, {}, 'HEAD')).body).toBe('');
    }
    await clock.advance(5_000);
    expect(await good('/v1/secrets/app/refresh', 'POST')).toBe(200);
    expect(await good('/v1/config/reload', 'POST')).toBe(200);
    expect(await good('/v1/outputs/x/reload', 'POST')).toBe(404);
    expect(await good('/v1/stop', 'POST')).toBe(202);
    expect((await get('/v1/stop', {}, 'DELETE')).headers['allow']).toBe('POST');
    expect((await get('/v1/status', {}, 'POST')).status).toBe(405);
    expect((await get('/nothing')).status).toBe(404);
  });

  it.each<[path: string, parameter: string, values: readonly string[]]>([
    ['/v1/secrets/{name}', 'wait', ['1ms', '1h30m', '0.5s', '30', '30 s', '', '-1s', '1w', '5s!']],
    ['/secretsmanager/get', 'secretId', ['app', '']],
    ['/secretsmanager/get', 'refreshNow', ['true', '0', 'yes', '']],
  ])('says of %s what it takes for %s', async (path, parameter, values) => {
    const { backend, start, get, clock } = await apiWorld(['app']);
    backend.set('app', { password: '1' }, backend.lease(60_000));
    await start();
    const takes = takesOf(path, parameter);
    const met: [string, boolean, boolean][] = [];
    for (const value of values) {
      const query = new URLSearchParams({
        ...(parameter === 'refreshNow' ? { secretId: 'app' } : {}),
        [parameter]: value,
      });
      const asking = get(`${path.replace('{name}', 'app')}?${query}`);
      // A lease is fetched at most once a second.
      const waitsMs = { wait: 5_400_000, refreshNow: 1_000 }[parameter];
      const asked = waitsMs === undefined ? asking : Promise.race([asking, clock.advance(waitsMs).then(() => asking)]);
      met.push([value, takes(value), (await asked).status !== 400]);
    }
    expect(met.map(([value, told]) => [value, told])).toEqual(met.map(([value, , taken]) => [value, taken]));
    expect(new Set(met.map(([, told]) => told)).size).toBe(2);
  });

  it('is checked in a way that finds an answer which it does not describe', () => {
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    const answer =
      (body: object, status = 200) =>
      () =>
        checkDescribed('GET', '/v1/secrets', { status, headers, body: JSON.stringify(body) });
    expect(answer({ secrets: [] })).not.toThrow();
    expect(answer({})).toThrow(/secrets/);
    expect(answer({ secrets: [{ name: 1 }] })).toThrow();
    expect(answer({ secrets: [] }, 201)).toThrow(/not described/);
  });
});

/** Whether the document allows this value for a parameter of a GET. */
function takesOf(path: string, parameter: string): (value: string) => boolean {
  type Parameter = { readonly name: string; readonly schema: AnySchema };
  const document = openApi('1.2.3') as {
    readonly paths: Readonly<
      Record<string, { readonly get: { readonly parameters: readonly ({ $ref?: string } & Parameter)[] } }>
    >;
    readonly components: { readonly parameters: Readonly<Record<string, Parameter>> };
  };
  const all = document.paths[path]?.get.parameters.map((one) =>
    one.$ref === undefined ? one : document.components.parameters[one.$ref.split('/').at(-1) as string],
  );
  const validate = new Ajv2020().compile(all?.find((one) => one?.name === parameter)?.schema as AnySchema);
  return (value) => validate(value) === true;
}
