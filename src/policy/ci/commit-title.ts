// The title of a fix's commit, with a name from outside in it. Pure text.

/** A job's name may hold what hosts act on (`[skip ci]`, `Closes #1`, `@somebody`): only its plain words stay. */
export function commitTitle(job: string): string {
  const words = job
    .replace(/[^\p{L}\p{N} ._/-]+/gu, ' ')
    .replace(/\b(?:skip|no)[ _-]?(?:ci|checks|actions)\b|\b(?:ci|actions)[ _-]skip\b/gi, ' ')
    .replace(/\b(?:close|fix|resolve)[sd]?\b|\b(?:fixed|fixes)\b/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 60);
  return `fix(ci): ${words === '' ? 'failing job' : words}`;
}
