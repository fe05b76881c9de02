// Settings of health checks (HEALTH-1): what is asked of a tenant's production, how often, and how bad it is when the answer is wrong.
// Plain readonly data, defaults filled in. The file format is src/config/health-schema.ts, which a test holds equal to these types.
import type { SecretReference, Weekday } from '../secret-reference.ts';
import type { IncidentLevel } from './settings.ts';

export type HealthSettings = {
  /** Names are unique. */
  readonly checks: readonly HealthCheck[];
  /** Three readings after a first failure fit into it. Absent: 45 s, which is the most. */
  readonly confirmWithinMs?: number;
  readonly maintenance: readonly MaintenanceWindow[];
};

export type HealthCheck = HttpCheck | ContentCheck | LoginCheck | DatabaseCheck | TlsCheck | DevopsCheck;

type EveryCheck = {
  readonly name: string;
  /** One reading, from the name lookup to the last byte. At most a third of the time in which a first failure is confirmed: 15 s. */
  readonly timeoutMs: number;
  /** Absent: 4 min, which is the most: with its confirmation a fault is known within 5 min. */
  readonly everyMs?: number;
  /** INC-1: how bad it is when this check fails. */
  readonly level: IncidentLevel;
  /** Names of the services involved: whose logs are collected, what is restarted. */
  readonly services: readonly string[];
};

/** The backend answers. */
export type HttpCheck = EveryCheck &
  HttpRequestSettings & { readonly kind: 'http'; readonly expect: HttpExpectation };

/** A page of the frontend loads: HTML with the expected text. */
export type ContentCheck = EveryCheck &
  RequestTarget & { readonly kind: 'content'; readonly method: 'GET'; readonly expect: HttpExpectation };

/** A canary user can log in: requests in order, with one cookie jar. */
export type LoginCheck = EveryCheck & {
  readonly kind: 'login';
  /** What `${name}` stands for in the steps. */
  readonly secrets: { readonly [name: string]: SecretReference };
  /** At least one. */
  readonly steps: readonly LoginStep[];
};

export type LoginStep = HttpRequestSettings & {
  readonly name: string;
  readonly expect: HttpExpectation;
  /** What later steps may use as `${name}`. */
  readonly take: readonly TakenValue[];
};

export type TakenValue = {
  readonly name: string;
  readonly from: 'json' | 'header' | 'cookie';
  /** Path in the JSON, name of the header or of the cookie. */
  readonly at: string;
};

/** A connection comes about and `select 1` is answered. */
export type DatabaseCheck = EveryCheck & { readonly kind: 'database'; readonly url: SecretReference };

/** The certificate is valid for the host, and for some days more. */
export type TlsCheck = EveryCheck & {
  readonly kind: 'tls';
  /** `https:` address or a reference to one; its path does not matter. */
  readonly url: string;
  /** Fewer days left: it fails at `level`. A certificate that lives for less than three times this warns in its last third. */
  readonly warnDays: number;
  /** It has expired, or is not valid for the host: nobody gets in. */
  readonly levelInvalid: IncidentLevel;
};

/** INC-5: `GET /api/devops/health` says that it is well. */
export type DevopsCheck = EveryCheck & {
  readonly kind: 'devops';
  readonly url: string;
  readonly secret: SecretReference;
};

export type HttpRequestSettings = RequestTarget & {
  readonly method: HttpMethod;
  /** At most one of the three; `json` is JSON text. Texts in them may have placeholders. */
  readonly json?: string;
  readonly form?: { readonly [field: string]: string };
  readonly body?: string;
};

type RequestTarget = {
  /** `http:` or `https:` address or a reference to one, without a trailing slash. */
  readonly url: string;
  /** Comes after the address; empty or with a leading slash. */
  readonly path: string;
  /** Values are plain text or references. */
  readonly headers: { readonly [name: string]: string };
  /** How many are followed; the last one's answer is judged. */
  readonly redirects: number;
};

export const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type HttpMethod = (typeof httpMethods)[number];

export type JsonScalar = string | number | boolean | null;

export type HttpExpectation = {
  /** Any of them, both ends included. */
  readonly status: readonly { readonly from: number; readonly to: number }[];
  /** Each is somewhere in the body. */
  readonly contains: readonly string[];
  /** Regular expression (RE2: linear time, no look-around, no back references) over the body. */
  readonly matches?: string;
  /** Values by their path: `status`, `db.up`, `nodes[0].name`. */
  readonly json: { readonly [path: string]: JsonScalar };
  /** From the start of the request to the end of its answer; redirects count. */
  readonly maxLatencyMs?: number;
};

/** While one is on, failures are expected (from `from` up to, not including, `to`). */
export type MaintenanceWindow =
  | { readonly kind: 'once'; readonly fromMs: number; readonly toMs: number; readonly reason: string }
  | {
      readonly kind: 'weekly';
      readonly days: readonly Weekday[];
      /** `HH:MM` in the tenant's time zone; `to` before `from` is on the next day. `24:00` is midnight. */
      readonly from: string;
      readonly to: string;
      readonly reason: string;
    };
