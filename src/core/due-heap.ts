/**
 * What is due next among many: a binary heap of keys by time, then by a number of their own, with one time per key. Setting a
 * key again leaves its old entry behind, to be dropped when it comes up; a heap that holds mostly such is built anew.
 */
export interface DueHeap<Key> {
  readonly set: (key: Key, at: number, order?: number) => void;
  readonly delete: (key: Key) => void;
  /** The earliest, of equals the one with the lowest order. */
  readonly peek: () => { readonly key: Key; readonly at: number } | undefined;
  readonly size: () => number;
}

/** Below this an old entry is not worth the trouble. */
const STALE_MIN = 64;

interface Entry<Key> {
  readonly key: Key;
  readonly at: number;
  readonly order: number;
}

export function createDueHeap<Key>(): DueHeap<Key> {
  let heap: Entry<Key>[] = [];
  const current = new Map<Key, Entry<Key>>();

  function isEarlier(a: Entry<Key>, b: Entry<Key>): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  function push(entry: Entry<Key>): void {
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry<Key>;
      if (!isEarlier(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  function dropFirst(): void {
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isEarlier(heap[child + 1] as Entry<Key>, heap[child] as Entry<Key>)) child += 1;
      const smaller = heap[child] as Entry<Key>;
      if (!isEarlier(smaller, last)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
  }

  function dropStale(): void {
    if (heap.length < STALE_MIN || heap.length < 2 * current.size) return;
    const kept = [...current.values()];
    heap = [];
    for (const entry of kept) push(entry);
  }

  return {
    set(key, at, order = 0) {
      const known = current.get(key);
      if (known?.at === at && known.order === order) return;
      const entry = { key, at, order };
      current.set(key, entry);
      push(entry);
      dropStale();
    },
    delete(key) {
      if (current.delete(key)) dropStale();
    },
    peek() {
      for (let first = heap[0]; first !== undefined; first = heap[0]) {
        if (current.get(first.key) === first) return first;
        dropFirst();
      }
      return undefined;
    },
    size: () => current.size,
  };
}
