import { type Answerer, type FaultServer, reply, route, startFaultServer } from '../faults/fault-server.ts';

/** A server that lets anybody with a token in, and answers for the one secret `x/app` as it is told. */
export interface FaultyVault extends FaultServer {
  /** What the secret is answered with from now on. */
  secret(answerer: Answerer): void;
  /** Requests for the secret so far. */
  asked(): number;
}

/** Begins with the password `one`. */
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

/** The secret as it should be. */
export function password(text: string): Answerer {
  return reply(200, JSON.stringify({ data: { password: text } }));
}

/** As Vault refuses. */
export function refusal(
  status: number,
  errors: readonly string[] = [],
  headers: Record<string, string> = {},
): Answerer {
  return reply(status, JSON.stringify({ errors }), headers);
}
