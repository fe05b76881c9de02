// OPS-2: the environment variables that work without settings, as data. Defaults of the tenant file, the redaction of known values and
// `doctor` read them from here. No values, no I/O.
import type { SecretReference } from '../contract/tenant-config.ts';

export type UsualName = {
  readonly name: string;
  /** Its value must not appear anywhere; false for plain addresses and ids. */
  readonly secret: boolean;
  readonly meaning: string;
};

export const usualNames = {
  githubToken: { name: 'GITHUB_TOKEN', secret: true, meaning: 'GitHub token' },
  databaseUrl: { name: 'DATABASE_URL', secret: true, meaning: 'connection string of the database' },
  anthropicApiKey: { name: 'ANTHROPIC_API_KEY', secret: true, meaning: 'key of the model API' },
  railwayProjectToken: { name: 'RAILWAY_TOKEN_SW_FACTORY', secret: true, meaning: 'Railway project token' },
  railwayWorkspaceToken: {
    name: 'RAILWAY_WORKSPACE_TOKEN',
    secret: true,
    meaning: 'Railway workspace token',
  },
  railwayWorkspaceId: { name: 'RAILWAY_WORKSPACE_ID', secret: false, meaning: 'Railway workspace id' },
  backendUrl: { name: 'PRODUCTION_BACKEND_URL', secret: false, meaning: 'address of the backend' },
  frontendUrl: { name: 'PRODUCTION_FRONTEND_URL', secret: false, meaning: 'address of the frontend' },
  devopsApiSecret: { name: 'DEVOPS_API_SECRET', secret: true, meaning: "secret of the backend's DevOps API" },
  feedbackSecret: {
    name: 'FEEDBACK_PROCESSOR_SECRET',
    secret: true,
    meaning: "secret of the backend's feedback API",
  },
} as const satisfies Record<string, UsualName>;

/** The reference that stands in the config when the file names none. */
export function usualReference(key: keyof typeof usualNames): SecretReference {
  return `env:${usualNames[key].name}`;
}
