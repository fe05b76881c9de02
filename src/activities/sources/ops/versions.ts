// The source `versions` (DEPLOY-4): newer versions of what runs, and missing or old backups (those that migrations wait for too), as notices. Nothing is changed here, ever.

import * as z from 'zod';
import type { Json } from '../../../contract/effect.ts';
import type { ObservedFinding } from '../../../contract/finding.ts';
import type { ServicesSettings, VersionSettings } from '../../../contract/ops/settings.ts';
import { latestBackup } from '../../../integrations/process/backup-command.ts';
import { newestVersion } from '../../../integrations/versions/newest-version.ts';
import {
  judgeBackup,
  readBackupTime,
  type WatchedBackup,
  watchedBackups,
} from '../../../policy/ops/watch/backup-age.ts';
import { imageTag, judgeVersion } from '../../../policy/ops/watch/versions.ts';
import { messageOf } from '../../message-of.ts';
import type { ProviderOf } from '../../providers.ts';
import { type SourceContext, type SourceDefinition, Unreadable } from '../definition.ts';
import { notice } from './notice.ts';

const ruleVersion = 1;
const atOnce = 5;
const shownProblems = 3;

const Known = z.object({ url: z.string(), version: z.string(), etag: z.string().nullable() });
const VersionsMemory = z.object({ newest: z.record(z.string(), Known) });
type VersionsMemory = z.output<typeof VersionsMemory>;

/** What one version or backup says: nothing to tell, a notice, or that it could not be read. */
type Said = {
  readonly name: string;
  readonly finding: ObservedFinding | null;
  readonly problem: string | null;
};

export function createVersionsSource(parts: { readonly provider: ProviderOf }): SourceDefinition {
  return {
    kind: 'versions',
    timeoutMs: () => 180_000,
    targets: (workspace) => {
      const versions = workspace.services?.versions.length ?? 0;
      return versions + backupsOf(workspace).length > 0 ? [undefined] : [];
    },
    read: async (context) => {
      const { services: settings } = context.workspace;
      const before = memoryOf(context.memory);
      const newest: VersionsMemory['newest'] = {};
      const images = settings ? await imagesOf(parts, settings, context) : new Map<string, undefined>();
      const versions = await inTurn(settings?.versions ?? [], async (version) => {
        const read = await readNewest(version, before, context.signal);
        if (read.known !== undefined) newest[version.name] = read.known;
        return ofVersion(version, images, read);
      });
      const backups = await inTurn(backupsOf(context.workspace), (backup) => ofBackup(backup, context));
      const all = [...versions, ...backups];
      const problems = all.flatMap(({ problem }) => (problem === null ? [] : [problem]));
      const memory = { newest };
      if (problems.length === all.length)
        throw new Unreadable(problems.slice(0, shownProblems).join('; '), { memory });
      const findings = all.flatMap(({ finding }) => (finding === null ? [] : [finding]));
      const bad = findings.some(({ detail }) => detail.kind === 'notice' && detail.level === 'warning');
      return {
        state: bad ? 'red' : 'green',
        reason: [
          `${versions.length} versions, ${backups.length} backups`,
          findings.length === 0 ? 'all well' : `${findings.length} to be told`,
          ...problems.slice(0, shownProblems),
        ].join('; '),
        findings,
        memory,
      };
    },
  };
}

function backupsOf({ services, databases }: SourceContext['workspace']): readonly WatchedBackup[] {
  return watchedBackups(services?.backups ?? [], databases);
}

function memoryOf(memory: Json): VersionsMemory {
  return VersionsMemory.safeParse(memory).data ?? { newest: {} };
}

type Images = ReadonlyMap<string, string | undefined> | { readonly problem: string };

/** By service: the image that serves. One request, and only when a version is compared with one. */
async function imagesOf(
  { provider }: { readonly provider: ProviderOf },
  settings: ServicesSettings,
  { workspace, config, signal }: SourceContext,
): Promise<Images> {
  if (!settings.versions.some(({ current, service }) => current === undefined && service !== undefined))
    return new Map();
  try {
    const { services } = await (await provider(workspace, config.tenant)).overview({ signal });
    return new Map(services.map(({ name, live, latest }) => [name, (live ?? latest)?.image]));
  } catch (error) {
    signal.throwIfAborted();
    return { problem: messageOf(error) };
  }
}

type Newest = { readonly known: z.output<typeof Known> | undefined; readonly problem: string | null };

/** What was read before counts on where the address does not answer now. */
async function readNewest(
  { name, url, path }: VersionSettings,
  { newest }: VersionsMemory,
  signal: AbortSignal,
): Promise<Newest> {
  const before = newest[name]?.url === url ? newest[name] : undefined;
  try {
    const read = await newestVersion({ url, at: path, etag: before?.etag ?? null, signal });
    if (read.status === 'notModified') return { known: before, problem: null };
    return { known: { url, version: read.version, etag: read.etag }, problem: null };
  } catch (error) {
    signal.throwIfAborted();
    return { known: before, problem: `versions of ${name}: ${messageOf(error)}` };
  }
}

function ofVersion(
  { name, service, current }: VersionSettings,
  images: Images,
  { known, problem }: Newest,
): Said {
  const unread = (why: string): Said => ({ name, finding: null, problem: why });
  if (known === undefined) return unread(problem ?? `versions of ${name}: nothing is known`);
  let mine = current;
  if (mine === undefined) {
    if ('problem' in images) return unread(`versions of ${name}: ${images.problem}`);
    const image = images.get(service ?? '');
    const tag = image === undefined ? null : imageTag(image);
    if (tag === null)
      return unread(
        `versions of ${name}: service ${service} runs ${image === undefined ? 'no image' : 'an image without a tag'}; write "current" instead`,
      );
    mine = tag;
  }
  const verdict = judgeVersion(name, mine, known.version);
  if (verdict.state === 'unknown') return unread(verdict.reason);
  if (verdict.state === 'current') return { name, finding: null, problem };
  return {
    name,
    finding: notice({
      about: 'version',
      name,
      level: verdict.level,
      signature: `newer version (${verdict.level})`,
      text: verdict.text,
      ruleVersion,
    }),
    problem,
  };
}

/** The first of its ways to ask that says something bad. */
async function ofBackup({ name, asks }: WatchedBackup, context: SourceContext): Promise<Said> {
  for (const ask of asks) {
    const said = await ofAsk(name, ask, context);
    if (said.finding !== null) return said;
  }
  return { name, finding: null, problem: null };
}

/** A backup whose age cannot be told is not taken for a young one. */
async function ofAsk(
  name: string,
  { command, maxAgeMs }: WatchedBackup['asks'][number],
  { nowMs, signal }: SourceContext,
): Promise<Said> {
  const said = await latestBackup(command, signal);
  const cannot = (why: string): Said => ({
    name,
    finding: notice({
      about: 'backup',
      name,
      level: 'warning',
      signature: 'backup unknown',
      text: `backup ${name}: its age cannot be told: ${why}`,
      ruleVersion,
    }),
    problem: null,
  });
  if ('problem' in said) return cannot(`its command ${said.problem}`);
  const verdict = judgeBackup(name, readBackupTime(said.printed), maxAgeMs, nowMs);
  if (verdict.state === 'fresh') return { name, finding: null, problem: null };
  if (verdict.state === 'unknown') return cannot(verdict.reason);
  return {
    name,
    finding: notice({
      about: 'backup',
      name,
      level: verdict.level,
      signature: `backup ${verdict.state}`,
      text: verdict.text,
      ruleVersion,
    }),
    problem: null,
  };
}

/** A few at the same time, answers in the order of the items. */
async function inTurn<Item, Answer>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (let from = 0; from < items.length; from += atOnce)
    answers.push(...(await Promise.all(items.slice(from, from + atOnce).map(ask))));
  return answers;
}
