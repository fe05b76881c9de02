// Something to know, as a finding: what it is about names its target.
import type { ObservedFinding } from '../../../contract/finding.ts';
import type { NoticeDetail } from '../../../contract/ops/findings.ts';

export function notice({
  signature,
  ruleVersion,
  ...told
}: Omit<NoticeDetail, 'kind'> & {
  readonly signature: string;
  readonly ruleVersion: number;
}): ObservedFinding {
  return {
    kind: 'notice',
    target: `${told.about} ${told.name}`,
    signature,
    ruleVersion,
    severity: 'info',
    title: told.text,
    detail: { kind: 'notice', ...told },
  };
}
