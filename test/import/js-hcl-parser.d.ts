/** HashiCorp's own parser of HCL 1, compiled to JavaScript. It tells no positions, and gives `{}` for an error. */
declare module 'js-hcl-parser' {
  const parser: { parse(hcl: string): string };
  export default parser;
}
