// The reference of the tenant file as Markdown, from its JSON Schema: a test holds docs/tenant-file.md equal to it.

type Node = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly properties?: { readonly [key: string]: Node };
  readonly required?: readonly string[];
  readonly propertyNames?: Node;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly oneOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
};

const intro = `# The tenant file

A tenant is one YAML file: \`untilgreen tenant validate -f tenant.yaml\` checks it and names all problems at once,
\`untilgreen tenant apply -f tenant.yaml\` registers it or changes it. [examples/tenant.yaml](../examples/tenant.yaml) says
everything that can be said; this is enough to start:

\`\`\`yaml
tenant: acme
workspaces:
  - name: shop
    github:
      repository: acme/shop
\`\`\`

- **Durations** are \`30s\`, \`5m\`, \`1h\`, \`7d\`; sizes \`512MiB\`, \`2GiB\`.
- **Secrets** are references, never values: \`env:NAME\` is a variable of the worker, \`file:/absolute/path\` a file it can read.
- **Unknown keys** are refused, with the nearest known one; so are keys that are there twice, tags, and files over 1 MB.
- **Editors** complete and check with \`# yaml-language-server: $schema=tenant.schema.json\`; \`untilgreen schema\` prints the schema.

| Field | Default | Meaning |
| --- | --- | --- |
`;

/** The whole text of docs/tenant-file.md. */
export function tenantReference(schema: unknown): string {
  return `${intro}${rows(schema as Node, '').join('\n')}\n`;
}

function rows(node: Node, path: string): string[] {
  return Object.entries(node.properties ?? {})
    .filter(([key]) => key !== '$schema')
    .flatMap(([key, field]) => {
      const name = path === '' ? key : `${path}.${key}`;
      const needed = node.required?.includes(key) ?? false;
      return [`| \`${name}\` | ${preset(field, needed)} | ${meaning(field)} |`, ...below(field, name)];
    });
}

function below(field: Node, name: string): string[] {
  const node = field.items ?? field;
  const path = field.items ? `${name}[]` : name;
  return (node.oneOf ?? [node]).flatMap((kind) => rows(kind, path));
}

function preset(field: Node, needed: boolean): string {
  if (field.const !== undefined) return `\`${String(field.const)}\``;
  if (needed) return '**needed**';
  if (field.default === undefined || JSON.stringify(field.default) === '{}') return '';
  const value = field.default;
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function meaning(field: Node): string {
  const parts = [field.description ?? ''];
  const kinds = field.propertyNames?.enum;
  if (kinds) parts.push(`Keys: ${kinds.map((kind) => `\`${String(kind)}\``).join(', ')}.`);
  const choices =
    field.enum ??
    (typeof field.additionalProperties === 'object' ? field.additionalProperties.enum : undefined);
  if (choices) parts.push(`One of ${choices.map((choice) => `\`${String(choice)}\``).join(', ')}.`);
  if (field.examples && field.default === undefined) parts.push(`Like \`${String(field.examples[0])}\`.`);
  return parts.join(' ').replaceAll('|', '\\|');
}
