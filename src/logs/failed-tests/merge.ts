// One test, one name: runners print a failing test in a list, as a header and in a summary, with more or less before its name. Pure.

const MAX_PARTS = 12;

/** Drops a name that is the end of another one, whatever separates the parts, and one that is another's way of writing. */
export function withoutShorter(names: readonly string[]): readonly string[] {
  const keys = names.map(keyOf);
  const endings = new Set<string>();
  for (const key of keys) for (const ending of endingsOf(key)) endings.add(ending);
  const seen = new Set<string>();
  return names.filter((_name, index) => {
    const key = keys[index] ?? '';
    if (endings.has(key) || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** The same for `testFoo(com.acme.FooTest)`, `com.acme.FooTest.testFoo`, `FooTest > testFoo()`, `a/foo.py::Foo::test`, `Foo.test`. */
export function keyOf(name: string): string {
  const javaStyle = /^([\w$]{1,200})\(([\w.$]{1,200})\)$/.exec(name);
  const ordered = javaStyle ? `${javaStyle[2]}.${javaStyle[1]}` : name;
  return ordered
    .replace(/\(\)/g, '')
    .replace(/ (?:›|>|»|→|▸) |::|[#$]/g, '.')
    .trim();
}

function endingsOf(key: string): string[] {
  const endings: string[] = [];
  let at = 0;
  for (let part = 0; part < MAX_PARTS; part += 1) {
    const next = key.slice(at).search(/[./\\ ]/);
    if (next === -1) break;
    at += next + 1;
    const ending = key.slice(at);
    // One word of a sentence is no name of its own.
    if (key[at - 1] === ' ' && !ending.includes(' ')) continue;
    if (ending.length > 2) endings.push(ending);
  }
  return endings;
}
