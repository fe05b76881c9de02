// The JSON shapes that docs/cli.md promises, to hold real output against them: the keys of every object, at every depth.
import { readFile } from 'node:fs/promises';

type Shape = { readonly [path: string]: true };

/** Content of third parties or of another format: their keys are not ours to promise. */
const open = /\.(detail|receipt|config|observations)$/;

/** Paths of all keys, list elements as one; `a.b[].c`. */
export function shapeOf(value: unknown, path = ''): Shape {
  if (Array.isArray(value)) return Object.assign({}, ...value.map((item) => shapeOf(item, `${path}[]`)));
  if (typeof value !== 'object' || value === null || open.test(path)) return {};
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, item]) => {
      const at = `${path}.${key}`;
      return { [at]: true, ...shapeOf(item, at) };
    }),
  );
}

/** By the name after `json` in the opening line of each block: ```json status */
export async function documentedShapes(): Promise<ReadonlyMap<string, Shape>> {
  const text = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
  const blocks = text.matchAll(/^```json ([a-z -]+)\n([\s\S]*?)^```/gm);
  return new Map([...blocks].map(([, name = '', body = '']) => [name, shapeOf(JSON.parse(body))]));
}
