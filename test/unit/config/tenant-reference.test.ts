// The schema describes every field, and what is derived from it is up to date: docs/tenant-file.md and docs/tenant.schema.json.
// After a change of the schema: run this test with -u.
import { expect, it } from 'vitest';
import { tenantJsonSchema } from '../../../src/config/tenant-file.ts';
import { usualNames } from '../../../src/config/usual-names.ts';
import { tenantReference } from '../../support/tenant-reference.ts';

function undescribed(node: unknown, path: string): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { properties, ...rest } = node as { properties?: Record<string, { description?: string }> };
  const own = Object.entries(properties ?? {}).flatMap(([key, field]) => [
    ...(field.description ? [] : [`${path}.${key}`]),
    ...undescribed(field, `${path}.${key}`),
  ]);
  return [...own, ...Object.entries(rest).flatMap(([key, item]) => undescribed(item, `${path}/${key}`))];
}

it('every field has a description', () => {
  expect(undescribed(tenantJsonSchema(), '')).toEqual([]);
});

it('the reference is the one of this schema', async () => {
  await expect(tenantReference(tenantJsonSchema())).toMatchFileSnapshot('../../../docs/tenant-file.md');
});

it('the schema for editors is this schema', async () => {
  const text = `${JSON.stringify(tenantJsonSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot('../../../docs/tenant.schema.json');
});

it('the usual names are the ones people have', () => {
  // OPS-2
  expect(Object.values(usualNames).map(({ name }) => name)).toEqual([
    'GITHUB_TOKEN',
    'DATABASE_URL',
    'ANTHROPIC_API_KEY',
    'RAILWAY_TOKEN_SW_FACTORY',
    'RAILWAY_WORKSPACE_TOKEN',
    'RAILWAY_WORKSPACE_ID',
    'PRODUCTION_BACKEND_URL',
    'PRODUCTION_FRONTEND_URL',
    'DEVOPS_API_SECRET',
    'FEEDBACK_PROCESSOR_SECRET',
  ]);
});
