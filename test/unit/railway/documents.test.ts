// DEPLOY-1: what is asked of Railway is valid in our own SDL and in Railway's schema, without a deprecated field.
import { existsSync, readFileSync } from 'node:fs';
import {
  buildClientSchema,
  buildSchema,
  type DocumentNode,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isObjectType,
  NoDeprecatedCustomRule,
  parse,
  specifiedRules,
  validate,
  visit,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { documents } from '../../../src/integrations/railway/documents.ts';
import { railwaySdl } from '../../../src/integrations/railway/sdl.ts';

/** Railway's introspection answer; it is not part of this repository. */
const schemaFile = new URL('../../../../shared/data/railway/schema.json', import.meta.url);
const own = buildSchema(railwaySdl);
const all = Object.entries(documents).map(([name, text]) => [name, parse(text)] as const);

function problems(schema: GraphQLSchema, document: DocumentNode): readonly string[] {
  return validate(schema, document, [...specifiedRules, NoDeprecatedCustomRule]).map(
    ({ message }) => message,
  );
}

describe('DEPLOY-1 the documents', () => {
  it.each(all)('%s fits our SDL', (_name, document) => {
    expect(problems(own, document)).toEqual([]);
  });

  it('use every field of the SDL', () => {
    const used = new Set<string>();
    for (const [, document] of all) visit(document, { Field: ({ name }) => void used.add(name.value) });
    const asked = Object.values(own.getTypeMap())
      .filter(isObjectType)
      .filter(({ name }) => !name.startsWith('__'))
      .flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`))
      .filter((field) => !used.has(field.split('.')[1] ?? ''));
    // For people who read it, and for the stand-in.
    expect(asked).toEqual(['Template.code']);
  });

  it('never replace a collection of variables', () => {
    expect(railwaySdl).not.toMatch(/\bvariableCollectionUpsert\(|\breplace\b:/);
    expect(JSON.stringify(documents)).not.toMatch(/variableCollectionUpsert|replace:/);
  });
});

const real = existsSync(schemaFile)
  ? // Railway's schema has an interface whose field is deprecated in a type only: not our part of it.
    buildClientSchema(introspection(schemaFile), { assumeValid: true })
  : undefined;

describe.skipIf(real === undefined)(
  `DEPLOY-1 in Railway's own schema${real === undefined ? ' (skipped: no ../shared/data/railway/schema.json)' : ''}`,
  () => {
    const theirs = real as GraphQLSchema;

    it.each(all)('%s is valid, without a deprecated field', (_name, document) => {
      expect(problems(theirs, document)).toEqual([]);
    });

    it('every type, field, argument and value of our SDL is there, with the same type', () => {
      const wrong: string[] = [];
      const same = (what: string, ours: string, other: string | undefined): void => {
        if (ours !== other) wrong.push(`${what}: ${ours} here, ${other ?? 'nothing'} there`);
      };
      for (const type of Object.values(own.getTypeMap())) {
        if (type.name.startsWith('__')) continue;
        const other = theirs.getType(type.name);
        if (other === undefined) wrong.push(`${type.name}: not there`);
        if (isEnumType(type) && isEnumType(other))
          same(type.name, words(type.getValues()), words(other.getValues()));
        if (isInputObjectType(type) && isInputObjectType(other))
          for (const field of Object.values(type.getFields()))
            same(`${type.name}.${field.name}`, String(field.type), text(other.getFields()[field.name]?.type));
        if (isInputObjectType(type) && isInputObjectType(other))
          for (const field of Object.values(other.getFields()))
            if (String(field.type).endsWith('!') && type.getFields()[field.name] === undefined)
              wrong.push(`${type.name}.${field.name}: needed there, missing here`);
        if (!isObjectType(type) || !isObjectType(other)) continue;
        for (const field of Object.values(type.getFields())) {
          const there = other.getFields()[field.name];
          same(`${type.name}.${field.name}`, String(field.type), text(there?.type));
          if (there?.deprecationReason) wrong.push(`${type.name}.${field.name}: deprecated`);
          for (const argument of field.args)
            same(
              `${type.name}.${field.name}(${argument.name})`,
              String(argument.type),
              text(there?.args.find(({ name }) => name === argument.name)?.type),
            );
        }
      }
      expect(wrong).toEqual([]);
    });
  },
);

function introspection(file: URL): Parameters<typeof buildClientSchema>[0] {
  const answer = JSON.parse(readFileSync(file, 'utf8'));
  return answer.data ?? answer;
}

function words(values: readonly { readonly name: string }[]): string {
  return values
    .map(({ name }) => name)
    .sort()
    .join(' ');
}

function text(type: unknown): string | undefined {
  return type === undefined ? undefined : String(type);
}
