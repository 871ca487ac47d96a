/**
 * What is made when it is first needed: an isolate answers its first request the sooner the less it makes before, and most
 * isolates never need all of it.
 */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
