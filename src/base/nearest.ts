/** `there is no secret named "ap"; did you mean "app"?`; the question only when a name is near. */
export function thereIsNo(what: string, name: string, near: string | undefined): string {
  return `there is no ${what} named "${name}"${didYouMean(near)}`;
}

/** The end of a message about a word that is not known: `; did you mean "app"?`, or nothing when no name is near. */
export function didYouMean(near: string | undefined): string {
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

/** Bounds the comparisons of one search function, so that ten thousand misspelt names do not take 10^8 of them. */
const MAX_COMPARISONS = 200_000;

/**
 * Makes a function that finds the candidate that a word probably stands for: at most two edits away, regardless of
 * case. Short names differ by so little anyway: two edits count only when one of the two words has seven letters, and
 * one edit when one of them has three, or when it exchanges the only two letters. The function returns undefined when
 * no candidate is that near.
 */
export function makeNearest(candidates: Iterable<string>): (word: string) => string | undefined {
  const known = [...candidates];
  let left = MAX_COMPARISONS;
  return (word) => {
    const lower = word.toLowerCase();
    let best: string | undefined;
    let bestEdits = 3;
    left -= known.length;
    if (word.length > 64 || left < 0) return undefined;
    for (const candidate of known) {
      if (Math.abs(candidate.length - word.length) >= bestEdits) continue;
      const edits = countEdits(lower, candidate.toLowerCase());
      const longer = Math.max(word.length, candidate.length);
      if (edits < bestEdits && edits <= (longer < 3 ? Number(isMixedUp(lower, candidate)) : longer < 7 ? 1 : 2))
        [best, bestEdits] = [candidate, edits];
    }
    return best;
  };
}

const isMixedUp = (a: string, b: string): boolean => a === [...b.toLowerCase()].reverse().join('');

/** Levenshtein distance, row by row, where the exchange of two neighbouring letters counts as one edit. */
function countEdits(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isExchanged = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const exchanged = isExchanged ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, exchanged, at(row, j) + 1, at(next, j - 1) + 1));
    }
    before = row;
    row = next;
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
