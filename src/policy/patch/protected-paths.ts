// Which paths of a patch need a person (CI-7): CI definitions, secrets, migrations, auth, payments, infrastructure,
// repository plumbing, and what the workspace names as core. Paths are data: nothing here touches a file system.
import picomatch from 'picomatch';

type ProtectedKind = {
  readonly name: string;
  /** Words of a path segment (split at case, dots, dashes, underscores). */
  readonly words: readonly string[];
  readonly globs: readonly string[];
};

const CI = 'continuous integration';
/** A workflow itself (CI-13), not the actions, scripts and owners beside it. */
const WORKFLOW_FILE = /^\.github\/workflows\/[^/]+\.ya?ml$/;

const KINDS: readonly ProtectedKind[] = [
  {
    name: CI,
    words: [],
    globs: [
      '**/.github/**',
      '**/.gitlab-ci*',
      '**/.gitlab/**',
      '**/.circleci/**',
      '**/.buildkite/**',
      '**/.woodpecker*{,/**}',
      '**/.drone.yml',
      '**/.travis.yml',
      '**/azure-pipelines*',
      '**/bitbucket-pipelines.yml',
      '**/Jenkinsfile*',
      '**/.ci/**',
      '**/.{forgejo,gitea,semaphore,teamcity,tekton}/**',
      '**/{appveyor,.appveyor,.cirrus,cloudbuild,buildspec,codemagic,bitrise,wercker}.y*ml',
    ],
  },
  {
    name: 'secrets',
    words: ['secret', 'secrets', 'credential', 'credentials'],
    globs: [
      '**/.env*',
      '**/.env*/**',
      '**/*.{pem,key,p12,pfx,jks,keystore}',
      '**/id_{rsa,ed25519,ecdsa}*',
      '**/.{npmrc,pypirc,netrc,git-credentials,htpasswd,dockercfg}',
      '**/.{aws,kube,gnupg,ssh}/**',
      '**/kubeconfig*',
    ],
  },
  {
    name: 'repository plumbing',
    words: [],
    globs: [
      '**/.git',
      '**/.git/**',
      '**/.gitmodules',
      '**/.gitattributes',
      '**/.husky/**',
      '**/.githooks/**',
      '**/.pre-commit-config.y*ml',
      '**/CODEOWNERS',
      '**/{renovate.json*,.renovaterc*,dependabot.y*ml}',
      // What runs on a reader's machine, or tells another agent what to do.
      '**/.{vscode,idea,devcontainer,claude,cursor}/**',
      '**/{AGENTS,CLAUDE,GEMINI}*.md',
      '**/.{cursorrules,windsurfrules,clinerules}',
    ],
  },
  {
    name: 'migrations',
    words: ['migration', 'migrations', 'migrate', 'alembic', 'flyway', 'liquibase'],
    // As Flyway names them.
    globs: ['**/{V[0-9]*,R}__*.sql'],
  },
  {
    name: 'auth',
    words: [
      'auth',
      'authn',
      'authz',
      'authentication',
      'authorization',
      'authorisation',
      'authenticate',
      'authenticated',
      'authenticator',
      'authorizer',
      'authorized',
      'signin',
      'mfa',
      'totp',
      'webauthn',
      'passkey',
      'passkeys',
      'iam',
      'authorize',
      'oauth',
      'oauth2',
      'oidc',
      'saml',
      'sso',
      'login',
      'password',
      'passwords',
      'jwt',
      'rbac',
      'acl',
      'permission',
      'permissions',
    ],
    globs: [],
  },
  {
    name: 'payments',
    words: [
      'payment',
      'payments',
      'billing',
      'checkout',
      'invoice',
      'invoices',
      'stripe',
      'paypal',
      'braintree',
      'adyen',
      'refund',
      'refunds',
      'payout',
      'payouts',
    ],
    globs: [],
  },
  {
    name: 'infrastructure',
    words: [
      'infra',
      'infrastructure',
      'terraform',
      'opentofu',
      'tofu',
      'pulumi',
      'helm',
      'k8s',
      'kubernetes',
      'ansible',
      'cloudformation',
      'deploy',
      'deployment',
      'deployments',
    ],
    globs: [
      '**/*.{tf,tfvars,hcl}',
      '**/Dockerfile*',
      '**/*.dockerfile',
      '**/Containerfile*',
      '**/{kustomization,skaffold}.y*ml',
      '**/wrangler.{toml,json,jsonc}',
      '**/*.{bicep,nomad}',
      '**/docker-compose*',
      '**/compose.y*ml',
      '**/Procfile',
      '**/{railway,fly,netlify}.{toml,json}',
      '**/{render,serverless}.y*ml',
      '**/vercel.json',
    ],
  },
];

const MATCH_OPTIONS = { dot: true, nocase: true } as const;
const COMPILED = KINDS.map((kind) => ({
  name: kind.name,
  words: new Set(kind.words),
  matches: picomatch([...kind.globs], MATCH_OPTIONS),
}));

/**
 * Says why a path needs a person, or null when it does not. `core` are globs (case-insensitive, `*` also matches
 * names with a leading dot); one without a slash or ending in `/` means the name at any depth or all below it. `workflows`: files of
 * GitHub's workflows are allowed, unless their name or `core` protects them (CI-13).
 */
export function protectedPathReason(path: string, core: readonly string[], workflows = false): string | null {
  const isAllowed = workflows && WORKFLOW_FILE.test(path);
  const words = new Set(pathWords(path));
  for (const kind of COMPILED) {
    if (isAllowed && kind.name === CI) continue;
    if (kind.matches(path)) return kind.name;
    for (const word of kind.words) if (words.has(word)) return kind.name;
  }
  for (const glob of core) if (pathMatches(path, [glob])) return `named as core: ${glob}`;
  return null;
}

/** True when a path matches one of the globs, read as in `protectedPathReason`. */
export function pathMatches(path: string, globs: readonly string[]): boolean {
  const patterns = globs.flatMap((glob) => {
    const plain = glob.replace(/^\.?\//, '').replace(/\/+$/, '');
    const deep = plain.includes('/') ? plain : `**/${plain}`;
    return [deep, `${deep}/**`];
  });
  return patterns.length > 0 && picomatch(patterns, MATCH_OPTIONS)(path);
}

/** Words of all segments of a path, lower case: `src/oauthClient.test.ts` → src, oauth, client, test, ts. */
export function pathWords(path: string): string[] {
  return path
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}
