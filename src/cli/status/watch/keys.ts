export interface Keys {
  /** `q`, or Ctrl-C, which is a key while the terminal is read key by key. */
  readonly quit: () => void;
  /** Ctrl-Z: the shell gets the terminal. */
  readonly leave: () => void;
  /** The process goes on in the foreground. */
  readonly back: () => void;
}

const CTRL_C = '\x03';
const CTRL_Z = '\x1a';

/** Listens to the keyboard where there is one; disposing it gives the keyboard back as it was. */
export function listenToKeys({ quit, leave, back }: Keys): Disposable {
  const { stdin } = process;
  if (stdin.isTTY !== true) return { [Symbol.dispose]() {} };
  const onData = (text: string) => {
    if (text.includes('q') || text.includes(CTRL_C)) quit();
    else if (text.includes(CTRL_Z)) {
      leave();
      stdin.setRawMode(false);
      process.kill(0, 'SIGTSTP');
    }
  };
  const onBack = () => {
    stdin.setRawMode(true);
    back();
  };
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.on('data', onData);
  process.on('SIGCONT', onBack);
  return {
    [Symbol.dispose]() {
      stdin.off('data', onData);
      process.off('SIGCONT', onBack);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
