import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import { PlainAnswer } from '../../http/plain-answer.ts';
import { destroyUnlessSent, sendLater } from '../http/reply.ts';
import { endWith } from './cached-answer.ts';
import { answerHeaders } from './end-to-end.ts';
import type { UpstreamAnswer } from './exchange.ts';
import type { ProxyCall } from './proxy-call.ts';

/** A client that takes nothing for so long, although there is something to take, is cut off. */
const STUCK_MS = 60_000;

/** Passes an answer on as it comes: status, headers, body. @param more headers to add after its own. */
export function relay(call: ProxyCall, answer: UpstreamAnswer, clock: Clock, more: readonly string[] = []): void {
  const { received, some } = answer;
  const { request, response } = call;
  const { statusCode = 502 } = received;
  const held = request.method === 'HEAD' ? undefined : heldBody(answer);
  const headers = answerHeaders(received.rawHeaders, (name) => held !== undefined && name === 'content-length');
  headers.push(...more);
  call.leaveBody();
  if (held !== undefined || received instanceof PlainAnswer) {
    const body = held ?? EMPTY;
    if (statusCode !== 204 && statusCode !== 304) headers.push('Content-Length', String(body.length));
    sendLater(response, () => {
      response.writeHead(statusCode, headers);
      endWith(response, body);
      destroyUnlessSent(response);
    });
    return;
  }
  response.writeHead(statusCode, headers);
  if (some !== undefined) response.write(some.bytes);
  else if (received.readableLength === 0 && !received.complete) response.flushHeaders(); // a stream may stay silent
  let giveUp = () => {};
  received.on('pause', () => {
    giveUp = deadline(clock, STUCK_MS, () => response.destroy());
  });
  received.on('resume', () => giveUp());
  received.on('error', () => response.destroy());
  received.once('close', () => {
    giveUp();
    if (!received.complete) response.destroy();
  });
  received.pipe(response);
}

/** The body if all of it has arrived already, as most bodies do in one piece with their head. */
function heldBody({ received, some }: UpstreamAnswer): Buffer | undefined {
  if (some !== undefined) return some.isWhole ? some.bytes : undefined;
  if (received instanceof PlainAnswer) return received.body;
  if (!received.complete) return undefined;
  const chunk = received.read() as Buffer | null;
  if (chunk === null) received.resume(); // the end of an empty body must be read too: it frees the connection
  return chunk ?? EMPTY;
}

const EMPTY = Buffer.alloc(0);
