import { type Answerer, type FaultServer, reply, route, startFaultServer } from '../faults/fault-server.ts';

/** A server that accepts every token, and answers for its one secret `x/app` as a test says. */
export interface FaultyVault extends FaultServer {
  /** Sets the answer for the secret from now on. */
  secret(answerer: Answerer): void;
  /** How many requests for the secret came so far. */
  asked(): number;
}

/** Starts such a server; the first password is `one`. */
export async function startFaultyVault(): Promise<FaultyVault> {
  let answering = password('one');
  const token = { ttl: 0, expire_time: null, renewable: false, num_uses: 0 };
  const server = await startFaultServer(
    route({
      '/v1/auth/token/lookup-self': reply(200, JSON.stringify({ data: token })),
      '/v1/x/app': (request, socket) => answering(request, socket),
    }),
  );
  return {
    ...server,
    secret: (answerer) => {
      answering = answerer;
    },
    asked: () => server.requests.filter(({ path }) => path === '/v1/x/app').length,
  };
}

/** A good answer for the secret. */
export function password(text: string): Answerer {
  return reply(200, JSON.stringify({ data: { password: text } }));
}

/** A refusal as Vault sends it. */
export function refusal(
  status: number,
  errors: readonly string[] = [],
  headers: Record<string, string> = {},
): Answerer {
  return reply(status, JSON.stringify({ errors }), headers);
}
