// The types of JSR's @std/text, for what elbo uses.

/** The word nearest to `givenWord` by Levenshtein distance. */
export declare function closestString(
  givenWord: string,
  possibleWords: ReadonlyArray<string>,
  options?: { caseSensitive?: boolean; compareFn?: (a: string, b: string) => number },
): string;
