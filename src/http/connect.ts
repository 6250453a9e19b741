/** Connects and closes the connection; nothing is sent. */
export function connect(
  where: { readonly path: string } | { readonly host: string; readonly port: number },
  signal: AbortSignal,
  failed: (error: unknown) => Error,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = process.getBuiltinModule('node:net').connect(where);
    const end = (act: () => void) => {
      signal.removeEventListener('abort', give);
      socket.destroy();
      act();
    };
    const give = () => end(() => reject(failed({ code: 'ETIMEDOUT' })));
    signal.addEventListener('abort', give, { once: true });
    socket.once('connect', () => end(resolve));
    socket.on('error', (error) => end(() => reject(failed(error))));
  });
}
