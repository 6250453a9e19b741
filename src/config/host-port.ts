/** The two parts of `HOST:PORT`, an IPv6 host without its brackets. Undefined when the text is not of this form. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  if (found === null) return undefined;
  const port = Number(found[3]);
  const host = (found[1] ?? found[2]) as string;
  return port >= 1 && port <= 65535 ? { host, port } : undefined;
}

/** Whether only this machine can reach the host: 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291), or localhost (RFC 6761). */
export function isLoopback(host: string): boolean {
  return /^127(?:\.\d{1,3}){3}$/.test(host) || /^(?:0{0,4}:){2,7}0{0,3}1$/.test(host) || host === 'localhost';
}
