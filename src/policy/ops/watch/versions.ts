// Whether something runs an older version than there is (DEPLOY-4): told, never changed. Pure. Versions by the rules of semver where they are
// such; tags of images by their numbers (`18.4-alpine`, `v2`), releases by date (`2026-11-01`).
import * as semver from 'semver';

export type VersionVerdict =
  | { readonly state: 'current' }
  | { readonly state: 'newer'; readonly level: 'info' | 'warning'; readonly text: string }
  /** It cannot be told: not taken for current. */
  | { readonly state: 'unknown'; readonly reason: string };

const maxLength = 128;
const components = ['major', 'minor', 'patch'] as const;

/**
 * A major version behind is a warning, anything less an information. A tag with fewer numbers moves by itself: `18` covers `18.4`. A newest
 * version that is a prerelease is only newer for what is a prerelease itself.
 */
export function judgeVersion(name: string, current: string, newest: string): VersionVerdict {
  const [mine, other] = [current.trim(), newest.trim()];
  for (const one of [mine, other])
    if (one === '' || one.length > maxLength) return unknown(name, `"${one.slice(0, 40)}" is no version`);
  const behind = behindBySemver(mine, other) ?? behindByNumbers(mine, other);
  if (behind === undefined) return unknown(name, `"${mine}" and "${other}" cannot be compared`);
  if (behind === 'nothing') return { state: 'current' };
  return {
    state: 'newer',
    level: behind === 'major' ? 'warning' : 'info',
    text: `${name} runs ${mine}, ${other} is out (a ${behind} version newer)`,
  };
}

/** The tag of an image: `1.4.2` of `ghcr.io/acme/backend:1.4.2@sha256:…`; null: it has none, or is no image. */
export function imageTag(image: string): string | null {
  return /^[^\s@]*?[^\s@/]:([\w][\w.-]{0,127})(?:@sha256:[0-9a-f]+)?$/.exec(image)?.[1] ?? null;
}

type Behind = (typeof components)[number] | 'nothing' | undefined;

function behindBySemver(mine: string, other: string): Behind {
  const [from, to] = [semver.parse(mine), semver.parse(other)];
  if (from === null || to === null) return undefined;
  // `18.4.1-alpine` names a variant of an image, no version before 18.4.1: its numbers are compared.
  if (isVariant(from) || isVariant(to)) return undefined;
  if (to.prerelease.length > 0 && from.prerelease.length === 0) return 'nothing';
  if (!semver.gt(to, from)) return 'nothing';
  if (to.major !== from.major) return 'major';
  return to.minor === from.minor ? 'patch' : 'minor';
}

/** A word that is no stage of a release. */
function isVariant(version: semver.SemVer): boolean {
  const [word] = version.prerelease;
  return (
    typeof word === 'string' &&
    !/^(?:alpha|beta|rc|pre|preview|next|canary|dev|nightly|snapshot|m|[ab])\W?\d*$/i.test(word)
  );
}

function behindByNumbers(mine: string, other: string): Behind {
  const [from, to] = [numbersOf(mine), numbersOf(other)];
  if (from === null || to === null) return undefined;
  const stage = /[-.]?(?:alpha|beta|rc|preview|canary|nightly)/i;
  if (stage.test(other) && !stage.test(mine)) return 'nothing';
  for (let at = 0; at < Math.min(from.length, to.length); at++) {
    const [a = 0, b = 0] = [from[at], to[at]];
    if (a !== b) return b > a ? (components[at] ?? 'patch') : 'nothing';
  }
  return 'nothing';
}

/** The first numbers of a tag, or of a date; null: there are none. */
function numbersOf(text: string): readonly number[] | null {
  const date = /(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)/.exec(text);
  const found =
    date === null
      ? /(?<![\dA-Za-z])v?(\d{1,9}(?:\.\d{1,9}){0,3})(?![\dA-Za-z])/i.exec(text)?.[1]?.split('.')
      : date.slice(1);
  return found === undefined ? null : found.map(Number);
}

function unknown(name: string, why: string): VersionVerdict {
  return { state: 'unknown', reason: `versions of ${name}: ${why}` };
}
