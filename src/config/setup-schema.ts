// `ci.setup` of the tenant file: how a checkout gets its dependencies (CI-6). A part of workspace-schema.ts.
import * as z from 'zod';
import { list, pathGlob, shellLine } from './schema-fields.ts';

const usualLockfiles = [
  '**/{package-lock.json,npm-shrinkwrap.json,yarn.lock,pnpm-lock.yaml,bun.lock,bun.lockb,deno.lock}',
  '**/{poetry.lock,uv.lock,pdm.lock,Pipfile.lock,conda-lock.yml,requirements*.txt}',
  '**/{go.sum,go.work.sum,Cargo.lock,Gemfile.lock,composer.lock,mix.lock,Package.resolved,pubspec.lock}',
  '**/{gradle.lockfile,pom.xml,packages.lock.json}',
];

/** Written `public` in the file. */
export const publicRegistries = [
  'registry.npmjs.org',
  'registry.yarnpkg.com',
  'repo.yarnpkg.com',
  'pypi.org',
  'files.pythonhosted.org',
  'proxy.golang.org',
  'sum.golang.org',
  'crates.io',
  'index.crates.io',
  'static.crates.io',
  'rubygems.org',
  'index.rubygems.org',
  'repo.maven.apache.org',
  'repo1.maven.org',
  'plugins.gradle.org',
  'plugins-artifacts.gradle.org',
  'services.gradle.org',
  'repo.packagist.org',
  'packagist.org',
  'api.nuget.org',
  'hex.pm',
  'repo.hex.pm',
  'builds.hex.pm',
  'pub.dev',
];

/** `host`, `*.suffix` or `public`; with or without a port. */
function registry() {
  return z
    .string()
    .max(260)
    .regex(/^(?:(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/)
    .refine((text) => Number(/:(\d+)$/.exec(text)?.[1] ?? 1) <= 65_535 && !text.endsWith(':0'), {
      error: 'has a port that is none',
      params: { fix: 'write a port from 1 to 65535, or none for 80 and 443' },
    })
    .meta({ examples: ['registry.npmjs.org'] });
}

export const Setup = z
  .strictObject({
    command: z
      .exactOptional(shellLine())
      .describe(
        'Shell line that gets dependencies into a fresh checkout, in the sandbox; the only one with a network. Absent: none.',
      ),
    lockfiles: list(pathGlob())
      .default(usualLockfiles)
      .describe(
        'Globs of the files whose content says what set-up makes, beside the manifests that are always meant; the same content: it is not run again.',
      ),
    registries: list(registry())
      .default(['public'])
      .describe(
        'The only hosts that set-up reaches: host or *.suffix on ports 80 and 443, or with :port. public: the usual public registries. Hosts of the own network need their port.',
      ),
  })
  .transform(({ registries, ...rest }) => ({
    ...rest,
    registries: [
      ...new Set(registries.flatMap((one) => (one === 'public' ? publicRegistries : [one.toLowerCase()]))),
    ],
  }));
