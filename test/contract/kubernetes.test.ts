import { forbid, refuseWith } from '../backend/kubernetes/fake-api-server.ts';
import { openKubePlace, wantOf } from '../backend/kubernetes/kubernetes.helpers.ts';
import { describeContract } from './contract.ts';

describeContract({
  name: 'kubernetes, on an API server that is played',
  cannot: {},
  async open() {
    const place = await openKubePlace({ config: { timeoutMs: 500 } });
    const { server, backend } = place;
    return {
      backend,
      want: (name) => wantOf(name),
      put: async (name, value) => void server.putSecret(name, { password: value }),
      valueOf: (fields) => fields.get('password'),
      remove: async (name) => server.remove(name),
      async refuse() {
        server.fault = forbid;
      },
      async throttle() {
        server.fault = (_, response) => {
          response.setHeader('retry-after', '1');
          refuseWith(response, 429, 'TooManyRequests', 'too many requests');
          return true;
        };
      },
      async stall() {
        server.fault = () => true;
      },
      async heal() {
        server.fault = undefined;
      },
      kill: () => server.stop(),
      start: () => server.start(),
      [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
    };
  },
});
