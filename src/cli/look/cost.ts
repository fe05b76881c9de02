// `untilgreen cost estimate`: what a tenant file will use in a day, before it runs (MODEL-4).
import type { Command } from 'commander';
import { UsageError } from '../../client/errors.ts';
import type { TenantConfig } from '../../contract/tenant-config.ts';
import {
  type Assumed,
  type AssumptionName,
  assumptions,
  type Estimate,
  estimateCosts,
  type Figures,
} from '../../policy/model/cost-estimate.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { withCommon } from '../options.ts';
import { readTenantFile, refused } from '../set-up/tenant.ts';
import { paragraphs, table } from '../text/table.ts';

type CostOptions = CommonOptions & { readonly file?: string; readonly assume?: readonly string[] };

const githubPerHour = 5_000;

export function costCommand(program: Command, frame: Frame): void {
  const cost = program.command('cost').description('what a tenant uses');
  withCommon(cost.command('estimate'))
    .argument('[file]', 'tenant file')
    .option('-f, --file <file>', 'tenant file; "-" is stdin')
    .option('--assume <name=value...>', 'another value for an assumption, e.g. failures=10')
    .description('tokens, money, Temporal actions and GitHub requests per day, expected and at worst')
    .action((argument: string | undefined, options: CostOptions) =>
      frame.run(options, async () => {
        const file = options.file ?? argument;
        if (file === undefined) throw new UsageError('file: is missing. Fix: write -f tenant.yaml');
        const assumed = assumedBy(options.assume ?? []);
        const parsed = await readTenantFile(file);
        if (!parsed.ok) return refused(parsed);
        const estimate = estimateCosts(parsed.config, assumed);
        const named = names().map((name) => ({
          name,
          value: assumed[name],
          meaning: assumptions[name].meaning,
        }));
        return {
          json: {
            tenant: parsed.config.tenant,
            perDay: { expected: estimate.expected, worst: estimate.worst },
            cyclesPerDay: estimate.cycles,
            parts: estimate.parts,
            limits: limitsOf(parsed.config),
            assumptions: named,
          },
          text: textOf(parsed.config, estimate, named),
        };
      }),
    );
}

function names(): readonly AssumptionName[] {
  return Object.keys(assumptions) as AssumptionName[];
}

/** @throws UsageError naming the assumption */
function assumedBy(given: readonly string[]): Assumed {
  const changed = new Map<AssumptionName, number>();
  for (const pair of given) {
    const [, name = '', text = ''] = /^([A-Za-z]+)=(.+)$/.exec(pair) ?? [];
    const known = names().find((one) => one === name);
    if (known === undefined)
      throw new UsageError(
        `--assume: "${pair}" names no assumption. Fix: write one of ${names().join(', ')} as name=value`,
      );
    const value = Number(text);
    const most = known.endsWith('Share') ? 1 : known.endsWith('Hours') ? 24 : 1_000_000_000;
    if (!(value >= 0 && value <= most))
      throw new UsageError(
        `--assume ${known}: "${text}" is not a number from 0 to ${most}. Fix: write ${known}=${assumptions[known].value}`,
      );
    changed.set(known, value);
  }
  return Object.fromEntries(
    names().map((name) => [name, changed.get(name) ?? assumptions[name].value]),
  ) as unknown as Assumed;
}

function limitsOf({ model, limits }: TenantConfig) {
  return {
    modelTokensPerDay: model.enabled ? model.budgets.tokensPerDay : 0,
    githubRequestsPerHour: githubPerHour,
    attemptsPerFinding: limits.attempts,
  };
}

function textOf(
  config: TenantConfig,
  estimate: Estimate,
  named: readonly { readonly name: string; readonly value: number; readonly meaning: string }[],
): string {
  const lines = [...estimate.parts, { part: 'all', expected: estimate.expected, worst: estimate.worst }];
  const cell =
    (key: keyof Figures) =>
    (one: (typeof lines)[number]): string =>
      [one.expected, one.worst].map((figures) => number(figures[key], key === 'usd')).join(' / ');
  const perHour = Math.round(estimate.worst.githubRequests / 24);
  return paragraphs(
    `tenant ${config.tenant}, per day: expected / at worst`,
    table(
      ['part', 'model tokens', 'US dollars', 'Temporal actions', 'GitHub requests'],
      lines.map((one) => [
        one.part,
        cell('tokens')(one),
        cell('usd')(one),
        cell('temporalActions')(one),
        cell('githubRequests')(one),
      ]),
    ),
    [
      `cycles: ${estimate.cycles.expected} expected, ${estimate.cycles.worst} at worst`,
      config.model.enabled
        ? `the model stops at model.budgets.tokensPerDay (${config.model.budgets.tokensPerDay}), whatever is assumed here`
        : 'the model is switched off (model.enabled)',
      `GitHub allows a token ${githubPerHour} requests an hour; at worst ${perHour} are made on average`,
      'in 30 days: ' +
        `$${(estimate.expected.usd * 30).toFixed(2)} expected, $${(estimate.worst.usd * 30).toFixed(2)} at worst for the model`,
    ].join('\n'),
    table(
      ['assumption', 'value', 'meaning'],
      named.map(({ name, value, meaning }) => [name, value, meaning]),
    ),
    'Change one with --assume name=value.',
  );
}

function number(value: number, money: boolean): string {
  return money ? value.toFixed(2) : String(value);
}
