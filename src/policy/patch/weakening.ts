// One weakened test or check that a patch would bring in (CI-7).

export type Weakening = {
  readonly rule:
    | 'skippedTest'
    | 'fewerAssertions'
    | 'deletedTest'
    | 'raisedLimit'
    | 'swallowedFailure'
    | 'loweredCoverage'
    | 'suppressedCheck'
    | 'changedTestCommand'
    /** Of what a model drafted only. */
    | 'changedExpectation'
    | 'changedSnapshot'
    | 'changedCheck'
    | 'knowsOfCheck';
  readonly line?: number;
  readonly detail: string;
};
