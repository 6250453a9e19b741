/**
 * `bare-server.mjs SOCKET PORT BODY TOKEN`: the floor of the local API. It answers every request with the same bytes,
 * over TCP only to those with the token.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const [socket, port, body, token] = process.argv.slice(2);
const wanted = Buffer.from(token);

createServer(answer).listen(socket);
createServer((request, response) => {
  const given = Buffer.from(request.headers['x-pannier-token'] ?? '');
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) answer(request, response);
  else response.writeHead(403).end();
}).listen(Number(port), '127.0.0.1');

function answer(_, response) {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
