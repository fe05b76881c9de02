// How compilers, type checkers, linters and formatters say what is wrong.
import type { Rule } from './rule.ts';

export const compilerRules: readonly Rule[] = [
  // file:line:col: error: … (gcc, clang, swiftc, ghc, zig, dart, mypy, javac, kotlinc, nim, groovyc)
  [
    96,
    /^(?:[A-Za-z]:)?[^\s:()'"][^:()'"]{0,200}:\d+(?:[:.]\d+)?(?:-\d+)?:? ?(?:- )?(?:fatal |internal compiler |syntax |type )?error\b/i,
  ],
  // file(line,col): error … (tsc, csc, fsc, msvc, d, nim)
  [96, /^[^\s()'"][^()'"]{0,200}\(\d+(?:[,:-] ?\d+){0,3}\) ?:? (?:fatal )?error\b/i],
  [92, /^(?:[A-Za-z]:)?[^\s:()'"][^:()'"]{0,200}\.(?:hs|lhs|purs|idr|agda|elm|ml|mli):\d+[:.]\d+/],
  [95, /^\S{1,200}\.(?:java|kt|scala|groovy|clj|aj):\[\d+,\d+\]/],
  [95, /^\S{1,200}\.(?:scala|sc|sbt):\d+(?::\d+)?: /],
  [95, /^e: (?:file:\/\/)?\S/],
  [
    95,
    /^error(?:\[[A-Z]\d+\])?: (?!could not compile|aborting due|process didn't exit|build failed|command failed|test failed, to rerun)/,
  ],
  [90, /^(?:\.{0,2}\/)?[\w./@+-]{1,200}\.go:\d+(?::\d+)?: /],
  [
    92,
    /^vet: |^(?:go: )?.{0,120}(?:no required module provides|missing go\.sum entry|cannot find (?:package|module)|is not in (?:GOROOT|std)|updates to go\.mod needed|inconsistent vendoring)/,
  ],
  [62, /\[(?:build|setup) failed\]/],
  // file:line:col and no word for it (checkstyle, credo, hlint, luacheck, nix)
  [84, /^(?:[A-Za-z]:)?[^\s:'"(]{1,200}\.\w{1,8}:\d+:\d+(?:-\d+)?:? \S/],
  [70, /^(?:[A-Za-z]:)?[^\s:'"(]{1,200}\.\w{1,8}:\d+: \S/],
  // linkers
  [
    95,
    /undefined reference to|undefined symbol|unresolved external symbol|multiple definition of|duplicate symbol/i,
  ],
  [
    92,
    /^Undefined symbols for architecture|ld: (?:symbol|library|framework)\b.{0,60}not found|cannot find -l\w/,
  ],
  [62, /^(?:collect2|clang|ld|linker command failed|cc1plus): .{0,40}(?:error|returned)/],
  // .NET
  [94, /\berror (?:CS|FS|BC|MSB|NU|NETSDK|CA|IDE|SA|AD|MC|XA|LNK|C|CTC|SYSLIB)\d{3,5}\b/],
  [94, /\berror TS\d{3,5}\b/],
  // PHP, Perl, Python, Ruby, Lua
  [95, /\b(?:PHP )?(?:Fatal|Parse|Catchable fatal) error: /],
  [
    95,
    /^Can't locate \S+ in @INC|^syntax error at \S+ line \d+|^Global symbol "|^Bareword "|^Can't (?:call method|find|open|exec)\b/,
  ],
  [78, /\bat \S+ line \d+[.,]?$/],
  [74, /^BEGIN failed--compilation aborted|^Compilation failed in require/],
  [92, /^\S{1,200}\.rb:\d+:(?:in .{1,120}|\d+): .{1,200}(?:\((?:\w|::)+\)|(?:Error|Exception))/],
  [90, /^\S{1,200}\.rb:\d+:\d+: [CWEFR]: /],
  [92, /^\S{1,200}\.(?:pyi?|ipynb):\d+(?::\d+)?:? (?:error\b|[A-Z]{1,5}\d{1,4}\b|\[?[EFWCR]\d{4})/],
  [85, /^\S{1,200}\.(?:lua|moon):\d+:(?:\d+:)? /],
  [92, /^(?:lua\S*|luajit): \S{1,100}:\d+: /],
  [90, /^(?:would reformat|oh no! )\b|^(?:ERROR: )?\S{1,200} Imports are incorrectly sorted/],
  // JavaScript and styles
  [93, /^\d+:\d+\s{1,8}(?:error|✖|×)\s/],
  [90, /^\S{1,200}\.(?:[jt]sx?|mjs|cjs|vue|css|scss|less):\d+:\d+:? (?!.{0,40}warn)/],
  [92, /^(?:ERROR: )?\S{1,200}\.[jt]sx?(?::\d+:\d+ - |\[\d+, ?\d+\]: )/],
  [92, /^\S{1,200} (?:lint|format|parse|assist|suppressions)\S* .{0,40}━/],
  [74, /^\[(?:warn|error)\] [^\s:]{1,200}\.\w{1,8}$/],
  [84, /Code style issues|Run Prettier (?:with --write )?to fix|Forgot to run Prettier/],
  [
    93,
    /^(?:ERROR in \S|Module not found: |✘ \[ERROR\] |\[!\] )|^Module build failed|^Cannot find module |^Failed to compile|^Build error occurred|^Type error: |error during build:/,
  ],
  [88, /^✖ {3}.{1,200}\[[\w-]{1,60}\]$/],
  [
    82,
    /\b(?:gofmt|goimports|rustfmt|clang-format|scalafmt|spotless|stylish-haskell|ormolu)\b.{0,60}(?:needs?|failed|differ|not |run )/i,
  ],
  [90, /^(?:\d+ \| )?ERROR \| \S/],
  [86, /^Line\s{2,}\S{1,200}\.php|^\[(?:\w|\\)+(?:Exception|Error)\]$/],
  [
    80,
    /^\S{0,60}: .{1,200}: (?:Permission denied|No such file or directory|Is a directory|[Ee]xec format error)$/,
  ],
  [90, /^Could not (?:find|load) module|^Could not find a declaration file/],
  // others
  [93, /^-- [A-Z][A-Z ]{2,60} -{3,}/],
  [94, /^\*\* \((?:\w|\.)+\)|^== Compilation error in file/],
  [92, /^(?:===>|\u2500|┌─|╰─) .{0,200}(?:failed|error|undefined|not found)/i],
  [84, /^File "[^"]{1,200}", lines? \d+(?:-\d+)?, characters/],
  [90, /^(?:Error |[Ii]n )(?:in )?\S{1,200}\.cr:\d+|^\S{1,200}\.erl:\d+:in /],
  [93, /^ERROR: (?:LoadError|MethodError|UndefVarError|ArgumentError|InitError|Package|Unsatisfiable)/],
  [93, /^Error in (?!file\b).{1,120}:?$|^Error in .{1,120} : /],
  [88, /^\* checking .{1,120}\.\.\. (?:\[.{1,30}\] )?(?:ERROR|WARNING|NOTE|FAILED)/],
  [
    94,
    /: line \d+: .{1,200}(?:command not found|syntax error|unbound variable|No such file|Permission denied|not a valid identifier)/,
  ],
  [90, /^(?:\S{1,100}: )?\d*:? ?\S{1,100}: (?:command )?not found$/i],
  [90, /^In \S{1,200} line \d+:$|\bSC\d{4} \((?:error|warning|info|style)\)/],
  [90, /^! [A-Z[]/],
  [92, /^error [•-] /],
  [88, /^startup failed:|^Syntax error (?:compiling|macroexpanding|reading source)|CompilerException/],
  [86, /^At (?:[A-Z]:|\/).{1,200}(?:char:\d+|:\d+)|FullyQualifiedErrorId/],
  [95, /^CMake Error\b|^configure: error: |^configure:.{0,80}error/],
  [90, /^\S{0,200}(?:meson\.build|CMakeLists\.txt|BUILD(?:\.bazel)?|WORKSPACE):\d+(?::\d+)?: /],
  [88, /^ERROR: \/\S{1,200}:\d+:\d+: |^ERROR: .{0,200}\/BUILD/],
  [92, /\bfatal error\b|\bsyntax error\b|\bcompilation (?:failed|error)\b.{3,}|\binternal compiler error\b/i],
  [
    80,
    /\bcannot find symbol\b|\bincompatible types\b|\bis not assignable to\b|\bdoes not exist in\b|\bhas no (?:exported )?member\b/i,
  ],
  [
    72,
    /\bwill reformat\b|\bneeds? (?:to be )?(?:re)?format|\bnot (?:properly |correctly )?formatted\b|\b(?:is|are) (?:out of date|not up[- ]to[- ]date|out of sync|stale)\b/i,
  ],
  [70, /\[-Werror(?:[=,]|\])|treated as errors?\b|warnings? being treated as/],
  [64, /^diff --git |^--- a\/|^Diff in /],
];
