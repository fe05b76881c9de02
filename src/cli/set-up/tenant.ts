// `untilgreen tenant`: validate, apply, list, show, remove. A file's problems come all at once, each with line, path, value and fix (DUR-4).
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { UsageError } from '../../client/errors.ts';
import { formatTenantProblem, parseTenantFile, type TenantFileResult } from '../../config/tenant-file.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Answer, CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';
import { paragraphs, table } from '../text/table.ts';

type FileOptions = CommonOptions & ByOptions & { readonly file?: string };

export function tenantCommand(program: Command, frame: Frame): void {
  const tenant = program.command('tenant').description('register, change and remove tenants');

  withCommon(tenant.command('validate'))
    .argument('[file]', 'tenant file')
    .option('-f, --file <file>', 'tenant file; "-" is stdin')
    .description('check a tenant file; exit code 2 with all its problems when it is not valid')
    .action((file: string | undefined, options: FileOptions) =>
      frame.run(options, async () => {
        const parsed = await readTenantFile(fileOf(file, options));
        if (!parsed.ok) return refused(parsed);
        return {
          json: { valid: true, tenant: parsed.config.tenant, problems: [] },
          text: `tenant ${parsed.config.tenant}: valid, ${parsed.config.workspaces.length} workspaces`,
        };
      }),
    );

  withBy(withCommon(tenant.command('apply')))
    .argument('[file]', 'tenant file')
    .option('-f, --file <file>', 'tenant file; "-" is stdin')
    .description('register a tenant or give it new settings, and start its loop')
    .action((file: string | undefined, options: FileOptions) =>
      frame.run(options, async () => {
        // The file is judged before anything is connected to.
        const parsed = await readTenantFile(fileOf(file, options));
        if (!parsed.ok) return refused(parsed);
        await frame.ask(options, async (client) => {
          const applied = await client.tenants.apply(parsed.config, byOf(options, frame), parsed.source);
          const change = applied.changed
            ? `version ${applied.version} applied`
            : `version ${applied.version} is in force already`;
          return {
            json: applied,
            text: paragraphs(
              `tenant ${applied.tenant}: ${change}, loop ${applied.loop}`,
              applied.notes.join('\n'),
            ),
          };
        });
        return undefined;
      }),
    );

  withCommon(tenant.command('list'))
    .description('all tenants')
    .action((options: CommonOptions) =>
      frame.ask(options, async (client) => {
        const tenants = await client.tenants.list();
        const text = table(
          ['tenant', 'version', 'enabled', 'autonomy', 'workspaces'],
          tenants.map((row) => [
            row.tenant,
            row.version,
            row.drained ? 'drained' : row.enabled ? 'yes' : 'no',
            row.autonomy,
            row.workspaces.join(', '),
          ]),
        );
        return {
          json: { tenants },
          text: text || 'no tenant is registered: run "untilgreen tenant apply -f tenant.yaml"',
        };
      }),
    );

  withCommon(tenant.command('show'))
    .argument('[tenant]', 'default: the only one')
    .description('the settings in force, every default filled in')
    .action((name: string | undefined, options: CommonOptions) =>
      frame.ask(options, async (client) => {
        const shown = await client.tenants.show(name);
        return { json: shown, text: JSON.stringify(shown, null, 2) };
      }),
    );

  withBy(withCommon(tenant.command('remove')))
    .argument('<tenant>')
    .description('stop watching a tenant; its records stay')
    .action((name: string, options: CommonOptions & ByOptions) =>
      frame.ask(options, async (client) => {
        const removed = await client.tenants.remove(name, byOf(options, frame));
        return { json: removed, text: `tenant ${removed.tenant} is removed; its records stay` };
      }),
    );
}

function fileOf(argument: string | undefined, options: FileOptions): string {
  const file = options.file ?? argument;
  if (file === undefined) throw new UsageError('file: is missing. Fix: write -f tenant.yaml');
  return file;
}

/** @throws UsageError when the file cannot be read */
export async function readTenantFile(file: string): Promise<TenantFileResult> {
  const fileName = file === '-' ? 'stdin' : file;
  const bytes = await readFile(file === '-' ? '/dev/stdin' : file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `file: ${fileName} cannot be read (${error.code ?? error.message}). Fix: name a file that is there`,
    );
  });
  return parseTenantFile(bytes, { fileName });
}

export function refused(parsed: Extract<TenantFileResult, { ok: false }>): Answer {
  const lines = parsed.problems.map((problem) => formatTenantProblem(problem, parsed.fileName));
  return {
    json: { valid: false, file: parsed.fileName, problems: parsed.problems },
    text: [
      ...lines,
      `${lines.length} ${lines.length === 1 ? 'problem' : 'problems'}; see docs/tenant-file.md`,
    ].join('\n'),
    exitCode: exitCodes.usage,
  };
}
