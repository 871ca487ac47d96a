/** Does something for each item, with at most so many under way at a time; the results stand in the items' order. */
export async function inPool<Item, Value>(
  items: readonly Item[],
  atOnceMax: number,
  work: (item: Item) => Promise<Value>,
): Promise<readonly Value[]> {
  const results: Value[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    // The workers share the iterator, so each item is taken once.
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnceMax, items.length) }, worker));
  return results;
}
