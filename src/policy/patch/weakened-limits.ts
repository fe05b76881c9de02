// Compares the numbers a patch takes out and puts in: timeouts, retries and tolerances may not rise in tests and
// their configuration, coverage thresholds may not fall (CI-7). A value it cannot read counts as raised or lowered.
import { isTestFile } from './test-files.ts';
import type { DiffLine } from './unified-diff.ts';
import type { Weakening } from './weakening.ts';

type Setting = { readonly key: string; readonly value: number | null; readonly line: number };

const RAISED =
  /(?<![\w.-])([\w.-]*(?:timeout|time_limit|timelimit|deadline|retries|retry|retryTimes|rerun\w*|reruns?|flaky|sleep|delay|time\.After|attempts|tolerance|epsilon|numDigits|max_?failures|max-warnings|maxWarnings|maxDiffPixels|bail)[\w-]*)["']?\s*(?:\(|:|=|>|\s)\s*\(?\s*["']?([^\s,;)}\]"']*(?:\s*\*\s*[\d_.]+)*)/gi;
const LOWERED =
  /(?<![\w.-])([\w.-]*(?:fail[_-]under|min(?:imum)?[_-]?coverage|coverage[_-]?threshold|coverage|threshold|branches|functions|statements|lines|check-coverage|minimum|target|lineCoverage)[\w-]*)["']?\s*(?:\(|:|=|>|\s)\s*["']?(-?[\d_.]+%?|true|false|off|0)/gi;
const COVERAGE_FILE =
  /(^|\/)(jest|vitest|vite|karma|nyc|c8|codecov|tox|pytest|setup|pyproject|package|phpunit|pom|build|noxfile|Makefile|justfile|\.nycrc|\.c8rc|\.coveragerc|\.codecov|\.simplecov|spec_helper|test_helper|sonar-project)[^/]*$|\.(csproj|fsproj|runsettings|props)$/i;
const UNIT_FACTORS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, sec: 1, m: 60, min: 60, h: 3600 };

/** Raised and lowered limits of one file; `added` and `removed` are its changed lines. */
export function limitChanges(
  path: string,
  added: readonly DiffLine[],
  removed: readonly DiffLine[],
): readonly Weakening[] {
  const found: Weakening[] = [];
  const mentionsCoverage = [...added, ...removed].some((line) => /cov(erage)?\b|fail_under/i.test(line.text));
  if (COVERAGE_FILE.test(path) || mentionsCoverage) {
    const before = settings(removed, LOWERED);
    const after = settings(added, LOWERED);
    for (const [key, old] of pairs(before)) {
      const now = after.filter((setting) => setting.key === key);
      if (now.length < old.length) found.push({ rule: 'loweredCoverage', detail: `"${key}" is gone` });
      for (const setting of now)
        if (
          setting.value === null ||
          old.some((was) => was.value === null || (setting.value ?? 0) < was.value)
        )
          found.push({ rule: 'loweredCoverage', line: setting.line, detail: `"${key}" is lower` });
    }
  }
  if (!isTestFile(path) && !/\.(ya?ml|sh|mk)$/i.test(path)) return found;
  const before = settings(removed, RAISED);
  for (const setting of settings(added, RAISED)) {
    const old = before.filter((was) => was.key === setting.key);
    const same = old.some((was) => was.value !== null && was.value === setting.value);
    const lowered =
      setting.value !== null &&
      setting.value > 0 &&
      old.length > 0 &&
      old.every((was) => was.value !== null && was.value >= (setting.value ?? 0));
    if (!same && !lowered)
      found.push({ rule: 'raisedLimit', line: setting.line, detail: `"${setting.key}" is new or higher` });
  }
  return found;
}

function settings(lines: readonly DiffLine[], pattern: RegExp): Setting[] {
  return lines.flatMap((line) =>
    [...line.text.matchAll(pattern)].flatMap((match) => {
      const key = (match[1] ?? '').replace(/^[-.]+/, '').toLowerCase();
      const raw = match[2] ?? '';
      if (raw === '' || /^(function|async|if|the|and|or|of)$/.test(raw)) return [];
      return [{ key, value: numberOf(raw), line: line.line }];
    }),
  );
}

/** A number with an optional unit or a product of numbers; null for anything else. */
function numberOf(raw: string): number | null {
  let product = 1;
  for (const factor of raw.split('*')) {
    const match = /^\s*(-?[\d_]*\.?\d+)(ms|s|sec|m|min|h|%)?\s*$/i.exec(factor);
    if (match === null) return /^(false|off)$/i.test(raw) ? 0 : /^true$/i.test(raw) ? 1 : null;
    const unit = (match[2] ?? '').toLowerCase();
    product *= Number((match[1] ?? '').replaceAll('_', '')) * (UNIT_FACTORS[unit] ?? 1);
  }
  return product;
}

function pairs(all: readonly Setting[]): Map<string, Setting[]> {
  const byKey = new Map<string, Setting[]>();
  for (const setting of all) byKey.set(setting.key, [...(byKey.get(setting.key) ?? []), setting]);
  return byKey;
}
