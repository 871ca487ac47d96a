/** A file's text as a module, which the bundler of the tests offers. */
declare module "*?raw" {
  const text: string;
  export default text;
}
