/** Runs once before all tests: the Node that the tests run on is the pinned one. */
export default function setup(): void {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 22) {
    throw new Error(
      `tests run on Node ${process.versions.node}, but node_modules/.bin/node should be 24: run npm ci again ` +
        '(its preinstall fetches the binary), and start tests with npm test',
    );
  }
}
