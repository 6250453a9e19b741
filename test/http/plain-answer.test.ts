import { expect, it } from 'vitest';
import { readPlainAnswer } from '../../src/http/plain-answer.ts';

const bytes = (...lines: readonly string[]) => Buffer.from(lines.join('\r\n'), 'latin1');
const BODY = '{"a":1}';

it('reads an answer that is whole and plain, with its headers as they came', () => {
  const head = ['HTTP/1.1 403 Forbidden', 'X-A: 1', 'content-LENGTH:  7 ', 'x-a:2', 'Keep-Alive: timeout=5, max=9'];
  const answer = readPlainAnswer(bytes(...head, '', BODY));
  expect(answer?.statusCode).toBe(403);
  expect(answer?.rawHeaders).toEqual([
    ...['X-A', '1', 'content-LENGTH', '7', 'x-a', '2'],
    ...['Keep-Alive', 'timeout=5, max=9'],
  ]);
  expect(answer?.headers).toEqual({ 'x-a': '1, 2', 'content-length': '7', 'keep-alive': 'timeout=5, max=9' });
  expect(answer?.keepAlive).toBe('timeout=5, max=9');
  expect(String(answer?.body)).toBe(BODY);
});

it.each([
  ['a body of which a part is missing', ['HTTP/1.1 200 OK', 'Content-Length: 8', '', BODY]],
  ['more than the answer', ['HTTP/1.1 200 OK', 'Content-Length: 6', '', BODY]],
  ['a head that is not whole', ['HTTP/1.1 200 OK', 'Content-Length: 7']],
  ['no length', ['HTTP/1.1 200 OK', 'X: 1', '', BODY]],
  ['two lengths', ['HTTP/1.1 200 OK', 'Content-Length: 7', 'Content-Length: 7', '', BODY]],
  ['a length that is no number', ['HTTP/1.1 200 OK', 'Content-Length: +7', '', BODY]],
  ['a length in a list', ['HTTP/1.1 200 OK', 'Content-Length: 7, 7', '', BODY]],
  ['a coding', ['HTTP/1.1 200 OK', 'Content-Length: 7', 'Transfer-Encoding: chunked', '', BODY]],
  ['an information', ['HTTP/1.1 103 Early Hints', 'Content-Length: 7', '', BODY]],
  ['no content', ['HTTP/1.1 204 No Content', 'Content-Length: 7', '', BODY]],
  ['what has not changed', ['HTTP/1.1 304 Not Modified', 'Content-Length: 7', '', BODY]],
  ['an older protocol', ['HTTP/1.0 200 OK', 'Content-Length: 7', '', BODY]],
  ['a connection that ends', ['HTTP/1.1 200 OK', 'Content-Length: 7', 'Connection: close', '', BODY]],
  ['a line that goes on', ['HTTP/1.1 200 OK', 'X: 1', ' 2', 'Content-Length: 7', '', BODY]],
  ['a line without a return', ['HTTP/1.1 200 OK', 'X: 1\nContent-Length: 7', '', BODY]],
  ['a return without a line', ['HTTP/1.1 200 OK', 'X: 1\rContent-Length: 7', '', BODY]],
  ['a space before a colon', ['HTTP/1.1 200 OK', 'Content-Length : 7', '', BODY]],
  ['a character that no head may hold', ['HTTP/1.1 200 OK', 'X: \0', 'Content-Length: 7', '', BODY]],
  ['characters beyond ASCII', ['HTTP/1.1 200 OK', 'X: é', 'Content-Length: 7', '', BODY]],
  ['a line without a name', ['HTTP/1.1 200 OK', ': 1', 'Content-Length: 7', '', BODY]],
  ['what is not HTTP', ['SSH-2.0-x', 'Content-Length: 7', '', BODY]],
  ['a very long head', ['HTTP/1.1 200 OK', `X: ${'x'.repeat(9_000)}`, 'Content-Length: 7', '', BODY]],
])('leaves %s to the parser of Node', (_t, lines) => {
  expect(readPlainAnswer(bytes(...lines))).toBeUndefined();
});
