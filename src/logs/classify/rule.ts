// What a line of a failing log is evidence for (CI-2). Data only: the rules of each class are tables beside this file.

export type FailureClass = 'flake' | 'regression' | 'env' | 'config' | 'infra';

/** `flake` rules count only where tests failed: by themselves they say nothing. */
export type Rule = {
  readonly id: string;
  /** How much one such line says, in (0, 1]: at 0.9 it decides alone, under 0.5 only where there is nothing else. */
  readonly weight: number;
  readonly pattern: RegExp;
};

export type RuleTable = {
  readonly class: FailureClass;
  /** platform: said by the CI system itself, about the job as a whole. */
  readonly kind: 'platform' | 'ordinary';
  readonly rules: readonly Rule[];
};
