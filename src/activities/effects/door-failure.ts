// How the door says that there is no answer: later, or never. The activity around it maps these to Temporal's failures.

/** Not now: the activity is to be tried again after `delayMs`. */
export class TryAgain extends Error {
  readonly type: string;
  /** Absent: the activity's own backoff. */
  readonly delayMs: number | undefined;
  constructor(type: string, message: string, delayMs: number | undefined, cause?: unknown) {
    super(message, { cause });
    this.name = 'TryAgain';
    this.type = type;
    this.delayMs = delayMs === undefined ? undefined : Math.max(50, Math.round(delayMs));
  }
}

/** The request itself is wrong, for good. */
export class BadRequest extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.name = 'BadRequest';
    this.type = type;
  }
}
