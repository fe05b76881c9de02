// What can be wrong with the shop in production, and what helps. Plain names, shared by the seed, the supervisor and the two programs.

export const productionFaults = ['none', 'connectionsLeak', 'badRelease', 'frontendCrashed'] as const;
/**
 * `connectionsLeak`: the backend runs and has no database connection left; a restart helps. `badRelease`: only what is deployed anew answers.
 * `frontendCrashed`: its process has ended; a restart helps.
 */
export type ProductionFault = (typeof productionFaults)[number];
