// Whether a patch would publish a secret (SEC-2): pure text work over what a finder sees. A secret that was there before and only moved is not
// published by the patch.

/** `value` tells apart secrets of the same name. */
type Secret = { readonly name: string; readonly value: string };

/**
 * @param patch unified diff; binary parts are not looked into
 * @param find secrets of a text, each as often as it is there
 * @returns names of what the patch adds more often than it removes, each once, in order
 */
export function publishedSecrets(
  patch: string,
  find: (text: string) => readonly Secret[],
): readonly string[] {
  const lines = patch.split('\n');
  const side = (mark: '+' | '-'): Map<string, { readonly name: string; readonly count: number }> => {
    const text = lines
      .filter((line) => line.startsWith(mark))
      .map((line) => line.slice(1))
      .join('\n');
    const counts = new Map<string, { name: string; count: number }>();
    for (const { name, value } of find(text)) {
      const key = JSON.stringify([name, value]);
      counts.set(key, { name, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    return counts;
  };
  const removed = side('-');
  const published = [...side('+')].flatMap(([key, { name, count }]) =>
    count > (removed.get(key)?.count ?? 0) ? [name] : [],
  );
  return [...new Set(published)].sort();
}
