// What `doctor` says about each tenant: whether this version reads its settings, whether its model can be asked, and what its production needs. It resolves the reference of
// the key and asks nobody: a call costs money.
import { createSecretResolver, type SecretResolver, SecretUnavailable } from '../../config/secrets.ts';
import type { ModelSettings } from '../../contract/tenant-config.ts';
import type { Redactor } from '../../logs/redact/redact-values.ts';
import type { Pool } from '../../store/database.ts';
import { listTenants, type TenantRow } from '../../store/tenants.ts';
import { operationsChecks } from './doctor-operations.ts';

export type Check = {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  /** Empty when nothing is to be done. */
  readonly fix: string;
};

const purposes = ['triage', 'implement', 'verify', 'operator'] as const;
const anthropic = 'https://api.anthropic.com';

export async function tenantChecks(
  pool: Pool,
  parts: { readonly env: NodeJS.ProcessEnv; readonly redactor: Redactor },
): Promise<readonly Check[]> {
  const secrets = createSecretResolver(parts);
  const tenants = await listTenants(pool);
  const checks = await Promise.all(
    tenants.map(async (row) => [
      ...settingsCheck(row),
      await modelCheck(row, secrets),
      ...(await operationsChecks(row, secrets)),
    ]),
  );
  return checks.flat();
}

function settingsCheck({ tenant, settingsProblem }: TenantRow): readonly Check[] {
  if (settingsProblem === undefined) return [];
  const fix = `correct the file, then "untilgreen tenant apply -f FILE"`;
  return [{ name: `settings ${tenant}`, ok: false, found: settingsProblem, fix }];
}

async function modelCheck(
  { tenant, config }: Pick<TenantRow, 'tenant' | 'config'>,
  secrets: Pick<SecretResolver, 'resolve'>,
): Promise<Check> {
  const name = `model ${tenant}`;
  const { model } = config;
  if (!model.enabled)
    return { name, ok: true, found: 'off (model.enabled): rules, fixers and people go on', fix: '' };
  const missing = purposes.filter((purpose) => !Object.hasOwn(model.prices, model.models[purpose]));
  if (missing.length > 0) {
    const names = [...new Set(missing.map((purpose) => model.models[purpose]))];
    const fix = `add model.prices for ${names.join(', ')}, in US dollars per million tokens`;
    return { name, ok: false, found: `no price for ${names.join(', ')}: no call can be reserved`, fix };
  }
  const key = await keyProblem(model, secrets);
  const found = `${key?.found ?? `the key ${model.apiKey} is set here`}; ${settingsText(model)}`;
  return { name, ok: key === undefined, found, fix: key?.fix ?? '' };
}

/** Of its value nothing is said but whether it has the form that the provider gives. */
async function keyProblem(
  { apiKey, baseUrl }: ModelSettings,
  secrets: Pick<SecretResolver, 'resolve'>,
): Promise<{ readonly found: string; readonly fix: string } | undefined> {
  try {
    const key = await secrets.resolve(apiKey, 'model.apiKey');
    if (baseUrl !== anthropic || /^sk-ant-\S+$/.test(key)) return undefined;
    const found = `the key ${apiKey} does not look like one of ${anthropic}`;
    return {
      found,
      fix: 'check which variable or file model.apiKey names, and that nothing else stands in it',
    };
  } catch (error) {
    if (!(error instanceof SecretUnavailable)) throw error;
    const found = `no key: ${error.reference} ${error.reason}`;
    return { found, fix: `${error.fix}; or "model: { enabled: false }" to do without a model` };
  }
}

function settingsText({ baseUrl, models, budgets }: ModelSettings): string {
  const { tokensPerDay, triageTokens, fixTokens, operatorTokens } = budgets;
  const groups = { triage: triageTokens, fixes: fixTokens, operator: operatorTokens };
  const none = Object.entries(groups).flatMap(([name, limit]) => (limit === 0 ? [name] : []));
  const off = tokensPerDay === 0 ? 'all calls' : none.join(', ');
  const limits = `${tokensPerDay} tokens a day, ${triageTokens} a triage, ${fixTokens} a fix, ${operatorTokens} an incident`;
  const names = [...new Set(purposes.map((purpose) => models[purpose]))].join(', ');
  return `${names} at ${baseUrl}, all with prices; ${limits}${off === '' ? '' : ` (0: ${off} off)`}`;
}
