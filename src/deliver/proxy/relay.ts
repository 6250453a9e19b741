import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import type { Answer } from './ask-upstream.ts';
import { answerHeaders } from './end-to-end.ts';
import type { ProxyCall } from './proxy-call.ts';

/** A client that takes nothing for so long while there is something to take is given up. */
const STUCK_MS = 60_000;

/** Passes an answer on as it comes: status, headers, body. `more` is put after its headers. */
export function relay(call: ProxyCall, { received, some }: Answer, clock: Clock, more: readonly string[] = []): void {
  const { request, response } = call;
  const { statusCode = 502 } = received;
  const held = some?.isWhole && request.method !== 'HEAD' ? some.bytes : undefined;
  const headers = answerHeaders(received.rawHeaders, (name) => held !== undefined && name === 'content-length');
  headers.push(...more);
  call.leaveBody();
  if (held !== undefined) {
    if (statusCode !== 204 && statusCode !== 304) headers.push('Content-Length', String(held.length));
    response.writeHead(statusCode, headers);
    response.end(held);
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
