// Search attributes (SEE-1): written when a workflow starts and when they change, never per cycle (each write is a billed action).
import { defineSearchAttributeKey, type SearchAttributePair, SearchAttributeType } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';
import type { Finding } from '../contract/finding.ts';
import { isWorkable } from '../contract/finding.ts';
import type { SettleResult } from '../contract/loop.ts';
import { searchAttributes } from '../contract/names.ts';

const keys = {
  tenant: defineSearchAttributeKey(searchAttributes.tenant, SearchAttributeType.KEYWORD),
  kind: defineSearchAttributeKey(searchAttributes.kind, SearchAttributeType.KEYWORD),
  severity: defineSearchAttributeKey(searchAttributes.severity, SearchAttributeType.KEYWORD),
  status: defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD),
  repository: defineSearchAttributeKey(searchAttributes.repository, SearchAttributeType.KEYWORD),
};

/** The time-skipping test server knows no search attributes: there the tenant was started without, and none are written. */
function known(): boolean {
  return workflowInfo().typedSearchAttributes.get(keys.tenant) !== undefined;
}

export function tenantAttributes(_tenant: string, settled: SettleResult): SearchAttributePair[] | undefined {
  if (!known()) return undefined;
  const status = settled.outcome === 'green' && settled.findings.length > 0 ? 'waiting' : settled.outcome;
  const severity = settled.findings.filter(isWorkable).some((f) => f.severity === 'critical')
    ? 'critical'
    : settled.findings.length > 0
      ? 'warning'
      : 'info';
  const attributes = workflowInfo().typedSearchAttributes;
  if (attributes.get(keys.status) === status && attributes.get(keys.severity) === severity) return undefined;
  return [
    { key: keys.status, value: status },
    { key: keys.severity, value: severity },
  ];
}

export function findingAttributes(
  tenant: string,
  finding: Finding,
): { typedSearchAttributes?: SearchAttributePair[] } {
  if (!known()) return {};
  const repository =
    finding.detail.kind === 'ci' ? [{ key: keys.repository, value: finding.detail.repository }] : [];
  return {
    typedSearchAttributes: [
      { key: keys.tenant, value: tenant },
      { key: keys.kind, value: finding.kind },
      { key: keys.severity, value: finding.severity },
      { key: keys.status, value: 'working' },
      ...repository,
    ],
  };
}

export function statusAttribute(status: string): SearchAttributePair[] | undefined {
  if (!known() || workflowInfo().typedSearchAttributes.get(keys.status) === status) return undefined;
  return [{ key: keys.status, value: status }];
}
