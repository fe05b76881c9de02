// Which way imports may point, checked by `npm run boundaries`: contract <- policy, workflows; contract, policy,
// integrations, store <- activities <- entries. Where code runs decides what it may touch.

const WORKFLOW_PACKAGES = '^node_modules/(@temporalio/(workflow|common)|ms)/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'two files that need each other, for a type too, are one idea or lack a third',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'an import that leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'contract-stands-alone',
      comment: 'all import the contract, so it imports nothing of ours',
      severity: 'error',
      from: { path: '^src/contract/' },
      to: { path: '^src/', pathNot: '^src/contract/' },
    },
    {
      name: 'policy-is-pure',
      comment: 'decisions are plain data in, plain data out: only the contract, no Temporal',
      severity: 'error',
      from: { path: '^src/policy/' },
      to: { path: '^(src/|node_modules/@temporalio/)', pathNot: '^src/(contract|policy)/' },
    },
    {
      name: 'workflows-are-deterministic',
      comment:
        'contract, policy, workflow packages; activities as types, which test/unit/boundaries.test.ts checks',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: {
        path: '^(src|node_modules)/',
        pathNot: ['^src/(contract|policy|workflows)/', WORKFLOW_PACKAGES, '^src/activities/'],
      },
    },
    {
      name: 'no-built-ins-in-the-sandbox',
      comment:
        'workflow, contract and policy code runs in Temporal’s sandbox, where Node’s modules do not exist',
      severity: 'error',
      from: { path: '^src/(workflows|contract|policy)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'systems-know-no-temporal',
      comment:
        'integrations, logs and store work without Temporal, and are called by activities, not the other way',
      severity: 'error',
      from: { path: '^src/(integrations|logs|store)/' },
      to: { path: '^(node_modules/@temporalio/|src/(activities|workflows|cli|embedded|http)/)' },
    },
    {
      name: 'activities-know-no-entries',
      comment: 'entries wire activities, not the other way; activities do not import workflow code',
      severity: 'error',
      from: { path: '^src/activities/' },
      to: { path: '^src/(workflows|cli|embedded|http|watchdog)/|^src/(worker|client)\\.ts$' },
    },
    {
      name: 'embedded-knows-no-agent',
      comment: 'the servers of one machine know nothing of what runs on them',
      severity: 'error',
      from: { path: '^src/embedded/' },
      to: { path: '^src/(activities|workflows|policy|store|cli|http|config)/|^src/(worker|client)\\.ts$' },
    },
    {
      name: 'product-imports-no-tests',
      comment: 'tests and demo import the product, not the other way',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|demo|scripts)/' },
    },
    {
      name: 'no-development-dependencies',
      comment: 'the package is installed without them',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc', // TypeScript 7 has no API for it; this one does not tell `import type` from `import`
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
