// The steps of a fix by the model (CI-5b, CI-6, CI-7): each is values in, values out, so that any worker runs any of them and a retry starts from the
// same values. Nothing here writes to GitHub; a verified patch is evidence for the door.
import type { FindingRef } from '../../../contract/activities.ts';
import type {
  CheckAnswer,
  ImplementActivities,
  OpenFixAnswer,
  ToolAnswer,
} from '../../../contract/implement.ts';
import type { WorkspaceConfig } from '../../../contract/tenant-config.ts';
import { RefusedCommand } from '../../../integrations/sandbox/bubblewrap.ts';
import { type FailingCommand, StepStopped } from '../../../integrations/workspace/run-step.ts';
import { runTool, unchangedValue } from '../../../integrations/workspace/run-tool.ts';
import { readToolInput } from '../../../integrations/workspace/tool-inputs.ts';
import {
  type Reproduced,
  type Runs,
  reproduce,
  verifyFix,
} from '../../../integrations/workspace/verify-fix.ts';
import { classifyLog } from '../../../logs/classify.ts';
import { redactText } from '../../../logs/redact/redact-text.ts';
import { secretsInCode } from '../../../logs/redact/secrets-in-code.ts';
import { reduceLog } from '../../../logs/reduce/reduce.ts';
import { asData } from '../../../policy/model/outside-text.ts';
import { publishedSecrets } from '../../../policy/patch/published-secrets.ts';
import { readFixAttempts, recordFixAttempt } from '../../../store/ci/fix-attempts.ts';
import { EvidenceTooLarge } from '../../../store/evidence.ts';
import { readFindingRow, readMemory } from '../../../store/findings.ts';
import { mirrorOf, type Services, workspaceOf } from '../../services.ts';
import { asActivity } from '../../temporal.ts';
import { detailOf, failingCommand } from '../ci.ts';
import { type Preparation, setUpOf } from '../set-up.ts';
import { type FixCase, type FixStore, fixStore, putAside } from './fix-store.ts';
import {
  type Failure,
  implementerOpening,
  toolCallOf,
  verifierOpening,
  withText,
  withToolResult,
} from './implement-prompts.ts';
import {
  type Check,
  draftReport,
  evidence,
  noFixOf,
  readVerdictOf,
  verifiedReport,
} from './implement-report.ts';

/** Names of failed tests that are kept with a case: evidence has a bound. */
const maxFailedTests = 300;
const maxOutputBytes = 2_000_000;
const callsPerTurn = 8;
const nonsense = 4;

export function createImplementActivities(services: Services): ImplementActivities {
  const { pool, redactor } = services;
  const { redact } = redactor;
  const secrets = (text: string) => secretsInCode(text, redactor);

  /** One step of a fix: the settings of now, and what is stored of it. */
  async function stepOf(ref: FindingRef) {
    const { config, workspace } = await workspaceOf(services, ref.tenant, ref.workspace);
    return { config, workspace, store: fixStore(services, ref.tenant, config.retention.evidenceMs) };
  }

  async function runsOf(
    workspace: WorkspaceConfig,
    baseSha: string,
    failing: FailingCommand,
    signal: AbortSignal,
  ): Promise<Runs & Pick<Preparation, 'report'>> {
    const { timeoutMs, memoryBytes } = workspace.ci.sandbox;
    return {
      mirror: await mirrorOf(services, workspace, baseSha, signal),
      failing,
      sandbox: await services.sandbox(workspace),
      limits: { timeoutMs, memoryBytes, maxOutputBytes },
      ...(await setUpOf(services, workspace, signal)),
      signal,
    };
  }

  return {
    openFix: (request) =>
      asActivity(redactor, async (signal) => {
        const { workspace, store } = await stepOf(request);
        const { implementer } = workspace.ci;
        const { headSha } = request.diagnosis;
        const off = 'the implementer is switched off for this workspace';
        if (!implementer.enabled) return { result: 'unavailable', reason: off, untilMs: null };
        const bounds = { turns: implementer.turns, callsPerTurn, nonsense };
        const kept = putAside((await readMemory(pool, request)).fixDraft, headSha, request.attempt);
        if (kept) return { result: 'opened', draft: kept, bounds };

        const detail = await detailOf(services, request);
        const github = await services.github(workspace);
        const place = { github, repository: workspace.github.repository, signal };
        const found = await failingCommand(place, detail, request.diagnosis);
        if ('reason' in found) return { result: 'cannotReproduce', reason: redact(found.reason), report: '' };
        const runs = await runsOf(workspace, headSha, found.failing, signal);
        const base = await reproduced(runs, headSha);
        if ('stopped' in base)
          return { result: 'cannotReproduce', reason: redact(base.stopped), report: redact(base.report) };
        if (base.otherwise !== undefined) {
          const report = redact(evidence('On the base', base.before));
          return { result: 'cannotReproduce', reason: base.otherwise, report };
        }
        const failure: Failure = {
          repository: place.repository,
          job: detail.job,
          step: found.failing.stepName,
          command: found.failing.command,
          workingDirectory: found.failing.workingDirectory ?? '.',
          ...(await explained(detail.job, found.log, redactor)),
          failedTests: base.failedTests.slice(0, maxFailedTests),
        };
        const earlier = await readFixAttempts(pool, request);
        const { treeSha } = await unchangedValue(runs.mirror, headSha);
        const tree = { baseSha: headSha, patch: null, treeSha };
        const setUp = await keptSetUp(store, runs);
        const aboutIt = { failing: found.failing, failure, runUrl: detail.url, setUp } satisfies FixCase;
        return ifItFits<OpenFixAnswer>(
          async () => {
            const fixCase = await store.keep('fixCase', aboutIt);
            const opening = implementerOpening(failure, earlier, implementer);
            const conversation = await store.keepConversation(opening);
            const draft = { fixCase, conversation, tree, turns: 0, tokens: 0, nonsense: 0, ended: false };
            return { result: 'opened', draft, bounds };
          },
          (reason) => ({ result: 'cannotReproduce', reason, report: '' }),
        );
      }),

    runTool: (request) =>
      asActivity(redactor, async (signal): Promise<ToolAnswer> => {
        const { workspace, store } = await stepOf(request);
        const { tree, call } = request;
        const conversation = await store.conversation(request.conversation);
        const answered = (
          result: 'ran' | 'refused',
          text: string,
          isError: boolean,
          next = tree,
        ): Promise<ToolAnswer> => {
          const longer = withToolResult(conversation, call.id, text, isError);
          return ifItFits<ToolAnswer>(
            async () => ({ result, conversation: await store.keepConversation(longer), tree: next }),
            () => ({ result: 'full', conversation: request.conversation, tree }),
          );
        };
        if (request.refuse !== undefined) return answered('refused', request.refuse, true);
        const read = readToolInput(call.name, toolCallOf(conversation, call.id)?.input);
        if (!read.ok) return answered('refused', read.reason, true);
        if (read.call.tool === 'finish')
          return { result: 'finished', conversation: request.conversation, tree };
        const { failing } = await store.read<FixCase>(request.fixCase);
        const runs = await runsOf(workspace, tree.baseSha, failing, signal);
        const ran = await runTool({ ...runs, value: await store.value(tree), call: read.call, secrets });
        const said = asData(`output of ${call.name}`, ran.output);
        return answered('ran', said, ran.isError, await store.keepValue(ran.value));
      }),

    tellModel: (request) =>
      asActivity(redactor, async () => {
        const { store } = await stepOf(request);
        const longer = withText(await store.conversation(request.conversation), request.text);
        return ifItFits<Awaited<ReturnType<ImplementActivities['tellModel']>>>(
          async () => ({ conversation: await store.keepConversation(longer) }),
          () => ({ conversation: request.conversation, full: true }),
        );
      }),

    checkFix: (request) =>
      asActivity(redactor, async (signal) => {
        const { workspace, store } = await stepOf(request);
        const { tree } = request;
        const { failing, failure, setUp: known } = await store.read<FixCase>(request.fixCase);
        const runs = await runsOf(workspace, tree.baseSha, failing, signal);
        const value = await store.value(tree);
        if (value.treeSha === (await unchangedValue(runs.mirror, tree.baseSha)).treeSha)
          return { result: 'noChange', reason: 'the implementer changed nothing', report: '' };
        const published = publishedSecrets(value.patch, secrets);
        if (published.length > 0)
          return {
            result: 'failed',
            reason: `the fix would publish a secret (${published.join(', ')})`,
            report: '',
          };
        const { forbiddenPaths: core, fixWorkflows: workflows, implementer } = workspace.ci;
        const { maxFiles, maxLines } = implementer;
        const gate = { maxFiles, maxLines, core, workflows, drafted: true };
        const result = await verifyFix({ ...runs, value, gate });
        if (result.kind !== 'passed') return noFixOf(result, value.patch, tree.patch ?? '', redact);
        const { kind: _kind, ...found } = result;
        const setUp = known || (await keptSetUp(store, runs));
        const opening = verifierOpening(failure, {
          patch: value.patch,
          before: found.before.lines,
          after: found.after[1].lines,
        });
        return ifItFits<CheckAnswer>(
          async () => {
            const check = await store.keep('fixCheck', { ...found, setUp } satisfies Check);
            return { result: 'passed', check, conversation: await store.keepConversation(opening) };
          },
          (tooLarge) => ({
            result: 'gated',
            reason: `it passes twice, but there is no room for what a verifier reads: ${tooLarge}`,
            report: redact(draftReport(value.patch, tree.patch ?? '')),
          }),
        );
      }),

    readVerdict: (request) =>
      asActivity(redactor, async () => {
        const { store } = await stepOf(request);
        const { runUrl } = await store.read<FixCase>(request.fixCase);
        const check = await store.read<Check>(request.check);
        const draft = request.tree.patch ?? '';
        const { patch } = await store.value(request.tree);
        const unseen = (why: string) => ({
          result: 'gated' as const,
          reason: redact(`it passes twice, but no verifier looked at it: ${why}`),
          report: redact(`${verifiedReport(check, runUrl, null)}\n${draftReport(patch, draft)}`),
        });
        if (request.absent !== undefined) return unseen(request.absent);
        const conversation = await store.conversation(request.conversation);
        const verdict = readVerdictOf(conversation);
        if ('again' in verdict)
          return ifItFits<Awaited<ReturnType<ImplementActivities['readVerdict']>>>(
            async () => ({ result: 'again', conversation: await store.keepConversation(verdict.again) }),
            unseen,
          );
        const report = verifiedReport(check, runUrl, verdict);
        if (!verdict.approved)
          return {
            result: 'notFixed',
            reason: redact(`the verifier refused it: ${verdict.reasons}`),
            report: redact(`${report}\n${draftReport(patch, draft)}`),
          };
        const { files, lines } = check;
        const { treeSha } = request.tree;
        return {
          result: 'verified',
          patchEvidence: draft,
          treeSha,
          files: files.length,
          lines,
          report: redact(report),
        };
      }),

    recordFix: (request) =>
      asActivity(redactor, async () => {
        const { store } = await stepOf(request);
        const row = await readFindingRow(pool, request);
        const { draft } = request;
        const text =
          request.report !== '' || draft === undefined
            ? request.report
            : draftReport(await store.text(draft), draft);
        const report = text === '' ? null : await store.keepText('fixReport', text);
        const reason = redact(request.reason).slice(0, 1_000);
        const subject = row?.title ?? request.fingerprint.slice(0, 12);
        await recordFixAttempt(pool, { ...request, reason, report, atMs: request.nowMs, subject });
      }),
  };
}

/** How the checkouts got their dependencies, in Markdown; what it said is kept. */
async function keptSetUp(store: FixStore, { report }: Pick<Preparation, 'report'>): Promise<string> {
  const { line, said } = report();
  return said === ''
    ? ''
    : `${line} Kept as evidence \`${(await store.keepText('setUp', said)).slice(0, 16)}\`.\n`;
}

/** What code reads back is stored whole; where it does not fit, `otherwise` says what that means. */
async function ifItFits<T>(store: () => Promise<T>, otherwise: (reason: string) => T): Promise<T> {
  try {
    return await store();
  } catch (error) {
    if (!(error instanceof EvidenceTooLarge)) throw error;
    return otherwise(error.message);
  }
}

/** The lines that explain the failure, and what kind of failure they show; one line and one word for a model that reads little. */
async function explained(
  job: string,
  log: string,
  redactor: Services['redactor'],
): Promise<Pick<Failure, 'log' | 'classification'>> {
  async function* open(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(log);
  }
  const { lines } = await reduceLog(open());
  const { class: kind, confidence } = await classifyLog([{ name: job, open }]);
  return {
    log: redactText(lines.map(({ text }) => text).join('\n'), redactor),
    classification: `${kind}, confidence ${confidence.toFixed(2)}`,
  };
}

/** A command that did not end by itself, or cannot be run at all, is a reason and no failure of ours. */
async function reproduced(
  runs: Runs,
  baseSha: string,
): Promise<Reproduced | { readonly stopped: string; readonly report: string }> {
  if (runs.sandbox.kind === 'unavailable')
    return { stopped: `no sandbox: ${runs.sandbox.reason}`, report: '' };
  try {
    return await reproduce(runs, baseSha);
  } catch (error) {
    if (error instanceof StepStopped)
      return { stopped: error.message, report: evidence('On the base', error.evidence) };
    if (error instanceof RefusedCommand) return { stopped: error.message, report: '' };
    throw error;
  }
}
