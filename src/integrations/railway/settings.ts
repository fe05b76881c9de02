// Where and as whom Railway is asked.

export const railwayApiUrl = 'https://backboard.railway.com/graphql/v2';

export type RailwaySettings = {
  /** The GraphQL endpoint; default `railwayApiUrl`. */
  readonly apiUrl?: string;
  readonly projectId: string;
  readonly environmentId: string;
  /** `project`: made in a project's settings, for one environment of it. `account`: of an account or a workspace. */
  readonly token: { readonly kind: 'project' | 'account'; readonly value: string };
};
