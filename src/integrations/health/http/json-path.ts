// A value in a JSON by its path: `db.up`, `nodes[0].name`. Names one value at most, so that its work is bounded by its own length.

/** Undefined where there is none. */
export function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    if (typeof at !== 'object' || at === null) return undefined;
    if (index !== undefined) at = Array.isArray(at) ? at[Number(index)] : undefined;
    else
      at =
        name !== undefined && !Array.isArray(at) && Object.hasOwn(at, name)
          ? (at as Record<string, unknown>)[name]
          : undefined;
  }
  return at;
}

/** Undefined for what is no JSON; `{ value }` otherwise. */
export function parsedJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}
