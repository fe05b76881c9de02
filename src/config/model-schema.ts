// The model in the tenant file: key, models, prices, budgets. A part of tenant-schema.ts, which says what the whole is.
import * as z from 'zod';
import type { ModelPrice } from '../contract/tenant-config.ts';
import { address, always, duration, reference, refuse } from './schema-fields.ts';
import { record } from './tenant-cross-checks.ts';
import { usualReference } from './usual-names.ts';

/** USD per million tokens, as the provider lists them (November 2026); triage stays under the prompt length at which its model costs more. */
const listPrices: { readonly [model: string]: ModelPrice } = {
  'claude-haiku-5-5': { input: 0.1, output: 0.5, cacheRead: 0.01, cacheWrite: 0.125 },
  'claude-sonnet-5-5': { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 },
  'claude-opus-5-5': { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 },
};

const purposes = ['triage', 'implement', 'verify', 'operator'] as const;
const budgetOf = {
  triage: 'triageTokens',
  implement: 'fixTokens',
  verify: 'fixTokens',
  operator: 'operatorTokens',
} as const;

const modelName = (example: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/)
    .meta({ examples: [example] });
const maxTokens = (preset: number) => z.int().min(256).max(128_000).default(preset);
const price = z.number().min(0).max(10_000);
const tokens = (preset: number) => z.int().min(0).max(1_000_000_000).default(preset);

export const Model = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Whether a model is asked at all; without it rules, fixers and people go on.'),
    apiKey: reference('env:ANTHROPIC_API_KEY')
      .prefault(usualReference('anthropicApiKey'))
      .describe('Reference to the key. Not set: no model is asked.'),
    baseUrl: address('https://api.anthropic.com')
      .prefault('https://api.anthropic.com')
      .describe('Address of the API; http only to this machine.'),
    models: z
      .strictObject({
        triage: modelName('claude-haiku-5-5')
          .default('claude-haiku-5-5')
          .describe('Classifies what the rules do not know.'),
        implement: modelName('claude-opus-5-5').default('claude-opus-5-5').describe('Drafts fixes.'),
        verify: modelName('claude-sonnet-5-5')
          .default('claude-sonnet-5-5')
          .describe('Judges drafts, without memory of how they came about.'),
        operator: modelName('claude-sonnet-5-5')
          .default('claude-sonnet-5-5')
          .describe('Looks at an incident that rules do not end, and proposes what to do.'),
      })
      .prefault({})
      .describe('Names of the models.'),
    prices: z
      .record(
        modelName('claude-opus-5-5').describe('Name of the model.'),
        z.strictObject({
          input: price.describe('Input.'),
          output: price.describe('Output, thinking included.'),
          cacheRead: price.describe('Input read from the prompt cache.'),
          cacheWrite: price.describe('Input written to the prompt cache.'),
        }),
      )
      .default({})
      .describe('US dollars per million tokens, by model; the models that are preset have list prices.'),
    maxTokens: z
      .strictObject({
        triage: maxTokens(8_000).describe('Most output of one call for triage, thinking included.'),
        implement: maxTokens(16_000).describe('Most output of one call for a draft, thinking included.'),
        verify: maxTokens(8_000).describe('Most output of one call for a verdict, thinking included.'),
        operator: maxTokens(4_000).describe('Most output of one call about an incident, thinking included.'),
      })
      .prefault({})
      .describe('Most output tokens of one call.'),
    timeout: duration({ min: '1s', max: '30m' }, '10m').prefault('10m').describe('Most time of one call.'),
    operator: z
      .strictObject({
        steps: z.int().min(1).max(8).default(8).describe('Answers of the model in one incident; 8 at most.'),
        effects: z
          .int()
          .min(0)
          .max(5)
          .default(5)
          .describe('Changes that it may propose with success in one incident; 5 at most.'),
      })
      .prefault({})
      .describe('What the model may do in one incident, after which people go on alone.'),
    budgets: z
      .strictObject({
        tokensPerDay: tokens(1_000_000).describe('Tokens of the tenant in a UTC day, input and output.'),
        triageTokens: tokens(50_000).describe('Tokens for the triage of one occurrence of a finding.'),
        fixTokens: tokens(200_000).describe('Tokens for all drafts and verdicts of one occurrence.'),
        operatorTokens: tokens(150_000).describe('Tokens for the operator of one occurrence of an incident.'),
        warnAtPercent: z
          .int()
          .min(1)
          .max(100)
          .default(80)
          .describe('Share of the day that is used when people are warned, once a day.'),
      })
      .prefault({})
      .describe('What may be used; reserved before each call, settled after it.'),
  })
  .superRefine(checkModel, always)
  .transform(({ timeout, prices, ...rest }) => ({
    ...rest,
    timeoutMs: timeout,
    prices: allPrices(prices),
  }));

function allPrices(given: { readonly [model: string]: ModelPrice }): { [model: string]: ModelPrice } {
  return { ...listPrices, ...given };
}

/** Every model has a price, and its budget room for one answer; on half-valid data too. */
function checkModel(value: unknown, context: z.core.$RefinementCtx): void {
  const { models, prices, maxTokens, budgets, enabled } = record(value);
  if (enabled === false) return;
  for (const purpose of purposes) {
    const name = record(models)[purpose];
    if (typeof name === 'string' && !Object.hasOwn({ ...listPrices, ...record(prices) }, name)) {
      const fix = `add model.prices."${name}" with input, output, cacheRead and cacheWrite in US dollars per million tokens`;
      refuse(context, ['models', purpose], 'has no price', fix);
    }
    const most = record(maxTokens)[purpose];
    for (const budget of [budgetOf[purpose], 'tokensPerDay'] as const) {
      const limit = record(budgets)[budget];
      if (typeof most !== 'number' || typeof limit !== 'number' || limit === 0 || most < limit) continue;
      const fix = `write a number under ${limit}, or raise model.budgets.${budget}; 0 there switches these calls off`;
      refuse(context, ['maxTokens', purpose], `leaves no room in model.budgets.${budget} (${limit})`, fix);
    }
  }
}
