/** Whether what is sent to the address can be read on the way: plain HTTP to another machine. */
export function isReadable(address: string): boolean {
  return /^http:/i.test(address) && !/^http:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?:[:/]|$)/i.test(address);
}
