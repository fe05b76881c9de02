// Focused sessions (CI-14): what a client asks the loop about one run.
export type AboutRunInput = {
  readonly by: string;
  readonly runId: number;
  /** Names of workspaces whose repositories are looked at. */
  readonly workspaces: readonly string[];
};

/** Why the run is not worked on, in one sentence. */
export type AboutRun = { readonly why: string };

export type AboutRunActivities = {
  readonly aboutRun: (request: Omit<AboutRunInput, 'by'> & { readonly tenant: string }) => Promise<AboutRun>;
};
