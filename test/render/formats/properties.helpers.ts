/** Runs the programs that read Java properties files. */
import { jsonLines, pythonPackage, run, whatIsHere, withPaths } from './installed.helpers.ts';

const JAVAPROPERTIES = '0.8.2';
const JPROPERTIES = '2.1.2';
const SIX = '1.17.0';

export interface PropertiesReader {
  readonly name: string;
  read(file: Uint8Array): Promise<ReadonlyMap<string, string>>;
}

/** `java.util.Properties`, which must read the same from the bytes of a file and from its text, since it is ASCII. */
const java: PropertiesReader = {
  name: 'java',
  read: (file) =>
    withPaths([file], async (paths) => {
      const { stdout } = await run('java', ['test/fixtures/programs/ReadProperties.java', ...paths], {
        maxBuffer: 1 << 28,
      });
      const [bytes, text] = ['bytes', 'text'].map((way) =>
        stdout.split('\n').flatMap((line) => (line.startsWith(`${way} `) ? [line.split(' ')[1] as string] : [])),
      ) as [string[], string[]];
      if (bytes.join() !== text.join()) throw new Error('bytes and text are read differently');
      return new Map(bytes.map((line) => line.split('=').map(fromHex) as [string, string]));
    }),
};

const fromHex = (hex: string): string =>
  String.fromCharCode(...(hex.match(/.{4}/g) ?? []).map((unit) => Number.parseInt(unit, 16)));

const python = (name: string, dir: string, load: string): PropertiesReader => ({
  name,
  read: (file) =>
    withPaths([file], async (paths) => {
      const script = `import sys, json\nsys.path.insert(0, sys.argv[1])\n${load}\nprint(json.dumps(list(d.items())))`;
      const { stdout } = await run('python3', ['-c', script, dir, ...paths], { maxBuffer: 1 << 28 });
      return new Map(jsonLines<[string, string][]>(stdout)[0]);
    }),
});

export const propertiesReaders = () =>
  whatIsHere<PropertiesReader>({
    java: async () => {
      await run('java', ['-version']);
      return java;
    },
    javaproperties: async () =>
      python(
        'javaproperties',
        await pythonPackage('javaproperties', JAVAPROPERTIES),
        'import javaproperties; d = javaproperties.load(open(sys.argv[2], "rb"))',
      ),
    jproperties: async () =>
      python(
        'jproperties',
        await pythonPackage('jproperties', JPROPERTIES, `six==${SIX}`),
        'import jproperties; p = jproperties.Properties(); p.load(open(sys.argv[2], "rb"), "iso-8859-1"); d = p.properties',
      ),
  });
