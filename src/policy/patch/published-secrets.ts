// Whether a patch would publish a secret (SEC-2): pure text work over what a redactor finds. A secret that was there before and only moved
// is not published by the patch.

const placeholder = /\[secret:([A-Za-z0-9_.-]{1,64})\]/g;

/**
 * @param patch unified diff; binary parts are not looked into
 * @param redact replaces every known secret by `[secret:NAME]`
 * @returns names of what the patch adds more often than it removes, in order
 */
export function publishedSecrets(patch: string, redact: (text: string) => string): readonly string[] {
  const lines = patch.split('\n');
  const side = (mark: '+' | '-'): Map<string, number> => {
    const text = lines
      .filter((line) => line.startsWith(mark))
      .map((line) => line.slice(1))
      .join('\n');
    const counts = new Map<string, number>();
    // What stands there as a placeholder already is none of the redactor's.
    for (const [, name = ''] of text.matchAll(placeholder)) counts.set(name, (counts.get(name) ?? 0) - 1);
    for (const [, name = ''] of redact(text).matchAll(placeholder))
      counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  };
  const removed = side('-');
  return [...side('+')].flatMap(([name, count]) => (count > (removed.get(name) ?? 0) ? [name] : [])).sort();
}
