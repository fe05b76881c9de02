// Many findings at once (CI-12): which belong to a storm, which one of them is being fixed, and how many pull requests there may be. Pure.

/** An open finding of one repository: neither resolved, watched nor with a person. */
export type OpenFailure = {
  readonly fingerprint: string;
  readonly title: string;
  readonly firstSeenMs: number;
  readonly critical: boolean;
  /** Of its latest failure; null: none, or not read yet. */
  readonly signature: string | null;
  /** What triage said last: it asks for a fix, for something else, or was not asked yet. */
  readonly wants: 'fix' | 'other' | null;
};

export type StormVerdict =
  | { readonly storm: false }
  /** `mine`: this finding is the one to fix. */
  | { readonly storm: true; readonly mine: true; readonly batch: number; readonly members: number }
  | { readonly storm: true; readonly mine: false; readonly why: string; readonly lookAgainMs: number };

export type StormQuestion = {
  readonly repository: string;
  readonly open: readonly OpenFailure[];
  /** Who asks; one of `open`. */
  readonly fingerprint: string;
  /** The one that is being fixed. */
  readonly holder: string | null;
  /** When the last finding of the repository was resolved after an attempt; null: never. */
  readonly provedMs: number | null;
  readonly threshold: number;
};

/** So long the others have to say what they are, before one is chosen. */
const graceMs = 2 * 60_000;
const readingMs = 15_000;
const holdingMs = 5 * 60_000;

/** What appeared since a fix last proved itself, when it is enough for a storm; else nothing. */
export function stormMembers(
  open: readonly OpenFailure[],
  provedMs: number | null,
  threshold: number,
): readonly OpenFailure[] {
  const members = open.filter(({ firstSeenMs }) => provedMs === null || firstSeenMs > provedMs);
  return members.length >= threshold ? members : [];
}

export function judgeStorm(question: StormQuestion, nowMs: number): StormVerdict {
  const { open, fingerprint, holder, repository } = question;
  const members = stormMembers(open, question.provedMs, question.threshold);
  if (!members.some((one) => one.fingerprint === fingerprint)) return { storm: false };
  const held = members.find((one) => one.fingerprint === holder && one.wants === 'fix');
  const newestMs = Math.max(...members.map(({ firstSeenMs }) => firstSeenMs));
  const unread = members.filter(({ wants }) => wants === null).length;
  const storm = `storm: ${members.length} jobs of ${repository} fail`;
  if (held === undefined && unread > 0 && nowMs < newestMs + graceMs) {
    return {
      storm: true,
      mine: false,
      why: `${storm}; ${unread} of them still to be read`,
      lookAgainMs: readingMs,
    };
  }
  const chosen = held ?? elect(members);
  if (chosen === undefined || chosen.fingerprint === fingerprint)
    return { storm: true, mine: true, batch: batchOf(members, fingerprint), members: members.length };
  const batch = batchOf(members, chosen.fingerprint);
  const others = batch > 1 ? `, ${batch} with the same error` : '';
  return {
    storm: true,
    mine: false,
    why: `${storm}; until a fix proved itself only ${chosen.fingerprint.slice(0, 12)} (${chosen.title}${others}) is being fixed`,
    lookAgainMs: holdingMs,
  };
}

/** The biggest batch first; in it the most severe, then the oldest. Only what asks for a fix can be chosen. */
function elect(members: readonly OpenFailure[]): OpenFailure | undefined {
  const candidates = members.filter(({ wants }) => wants === 'fix');
  return [...candidates].sort(
    (a, b) =>
      batchOf(members, b.fingerprint) - batchOf(members, a.fingerprint) ||
      Number(b.critical) - Number(a.critical) ||
      a.firstSeenMs - b.firstSeenMs ||
      (a.fingerprint < b.fingerprint ? -1 : 1),
  )[0];
}

/** How many have the same error, itself included. */
function batchOf(members: readonly OpenFailure[], fingerprint: string): number {
  const signature = members.find((one) => one.fingerprint === fingerprint)?.signature ?? null;
  if (signature === null) return 1;
  return members.filter((one) => one.signature === signature).length;
}

export type PullRequestCounts = {
  /** Open ones of CI fixes in the repository, that of the asker left out. */
  readonly open: number;
  /** Policy times at which those of the last hour were opened, oldest first. */
  readonly newMs: readonly number[];
};

export type PullRequestLimits = {
  readonly openPullRequests: number;
  readonly newPullRequestsPerHour: number;
};

const hourMs = 3_600_000;
/** Nobody is told when a pull request is merged or closed elsewhere. */
const lookAgainMs = 10 * 60_000;

/** Null: one more may be opened. */
export function judgePullRequests(
  counts: PullRequestCounts,
  limits: PullRequestLimits,
  nowMs: number,
): { readonly reason: string; readonly untilMs: number } | null {
  if (counts.open >= limits.openPullRequests) {
    const reason = `${counts.open} pull requests of fixes are open, the limit is ${limits.openPullRequests}`;
    return { reason, untilMs: nowMs + lookAgainMs };
  }
  const inHour = counts.newMs.filter((at) => at > nowMs - hourMs);
  if (inHour.length < limits.newPullRequestsPerHour) return null;
  const reason = `${inHour.length} pull requests of fixes are new in the last hour, the limit is ${limits.newPullRequestsPerHour}`;
  // There is room again when the one that fills the last place leaves the hour.
  const leaves = inHour[inHour.length - limits.newPullRequestsPerHour];
  return { reason, untilMs: (leaves ?? nowMs) + hourMs };
}
