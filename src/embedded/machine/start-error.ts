// The one error of the embedded parts: something about the user's machine or settings keeps Temporal or
// Postgres from starting, and the message says what to do about it. Not for our own bugs.

/** Message is for people: what failed, with which value, and how to fix it (DUR-4). Never holds a password. */
export class EmbeddedStartError extends Error {
  override name = 'EmbeddedStartError';
}
