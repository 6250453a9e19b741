/**
 * A value that is made when it is asked for first, and the same one after that. For tables that an ordinary start does
 * not look into: they are then in no bytecode.
 */
export function madeOnce<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
