// Under which names a set-up's result is looked for and kept. What is kept was made by code of the repository, so a name must tie it to who could have
// written that code: a pull request must not be able to leave something that a watched branch then runs (docs/decisions/2026-11-21-set-up-cache.md).
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import picomatch from 'picomatch';
import { branchMatcher } from '../../policy/ci/ci-runs.ts';
import { baseTree, branchesWith, captureTree, listTree, type Worktree } from '../git/worktree.ts';
import { sandboxEnvironment } from '../sandbox/bubblewrap.ts';
import type { Sandbox } from '../sandbox/run-in-sandbox.ts';

export type KeyRequest = {
  readonly worktree: Worktree;
  readonly command: string;
  /** Globs over paths. */
  readonly lockfiles: readonly string[];
  readonly registries: readonly string[];
  /** Globs over the repository's own branches whose code is trusted to be run for all others. */
  readonly trustedBranches: readonly string[];
  readonly sandbox: Sandbox;
};

/** Hex digests; `read` in the order to look them up. */
export type SetUpKeys = { readonly read: readonly string[]; readonly write: string };

/** What steers package managers beside lockfiles. A change in one of them is another set-up, whatever the lockfile says. */
const manifests = [
  '**/{package.json,.npmrc,.yarnrc,.yarnrc.yml,.pnpmfile.cjs,pnpm-workspace.yaml,lerna.json,bunfig.toml,deno.json}',
  '**/{.nvmrc,.node-version,.python-version,.ruby-version,.java-version,.tool-versions,mise.toml,.mise.toml}',
  '**/{patches,.yarn}/**',
  '**/{pyproject.toml,setup.py,setup.cfg,Pipfile,pip.conf,uv.toml,poetry.toml,tox.ini,environment.yml}',
  '**/{*requirements*,*constraints*}.{txt,in}',
  '**/requirements/**',
  '**/{Gemfile,*.gemspec,gems.rb,.bundle/config}',
  '**/{go.mod,go.work,go.env}',
  '**/{Cargo.toml,build.rs,rust-toolchain,rust-toolchain.toml,.cargo/config,.cargo/config.toml}',
  '**/{composer.json,auth.json,mix.exs,rebar.config,Package.swift,pubspec.yaml}',
  '**/{pom.xml,build.gradle,build.gradle.kts,settings.gradle,settings.gradle.kts,gradle.properties,build.sbt}',
  '**/{gradle,.mvn,buildSrc}/**',
  '**/{*.csproj,*.fsproj,*.vbproj,*.props,*.targets,*.sln,global.json,nuget.config,NuGet.Config}',
];

/** Reads the worktree as it is now, before set-up has run. */
export async function setUpKeys(request: KeyRequest): Promise<SetUpKeys> {
  const { worktree } = request;
  const [now, base] = [await captureTree(worktree), await baseTree(worktree)];
  const steers = picomatch([...request.lockfiles, ...manifests], { dot: true });
  const steering = (await listTree(worktree, now))
    .filter(({ path }) => steers(path))
    .map(({ path, mode, sha }) => `${mode} ${sha} ${path}`)
    .sort();
  const shared = [
    'set-up 1',
    worktree.mirror.url,
    request.command,
    [...request.registries].sort(),
    await toolchainOf(request.sandbox),
    steering,
  ];
  const key = (scope: string): string =>
    createHash('sha256')
      .update(JSON.stringify([scope, ...shared]))
      .digest('hex');
  const trusted = `branches ${JSON.stringify([...request.trustedBranches].sort())}`;
  const isTrusted =
    now === base &&
    (await branchesWith(worktree.mirror, worktree.baseSha)).some(branchMatcher(request.trustedBranches));
  const read = new Set([key(trusted), key(`tree ${base}`), key(`tree ${now}`)]);
  return { read: [...read], write: key(isTrusted ? trusted : `tree ${now}`) };
}

/** Changes when programs of the machine do: what was built with one version need not work with the next. */
async function toolchainOf(sandbox: Sandbox): Promise<readonly unknown[]> {
  if (sandbox.kind !== 'bubblewrap')
    return [sandbox.kind, 'image' in sandbox ? sandbox.image : '', process.arch];
  const path = sandboxEnvironment({ view: sandbox.view, env: {} }).PATH ?? '';
  const folders = [...path.split(':'), ...sandbox.view.readOnlyPaths].sort();
  const changed = await Promise.all(
    folders.map(async (folder) => [folder, (await stat(folder).catch(() => null))?.mtimeMs ?? 0]),
  );
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return [sandbox.kind, process.arch, system, changed];
}
