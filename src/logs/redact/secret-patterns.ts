// Secrets that are known by their form alone (SEC-2): secretlint's recommended rules, and the few forms that its preset leaves out. Pure text
// work, for text of up to a few MB. The rules are run without secretlint's own driver, which is asynchronous and obeys comments in the text
// (`secretlint-disable`): what is looked at here is written by strangers.
import { creator as preset } from '@secretlint/secretlint-rule-preset-recommend';
import type { SecretLintRulePresetContext } from '@secretlint/types';
import type { SecretSpan } from './redact-values.ts';

type Form = { readonly kind: string; readonly pattern: RegExp };
type Reported = { readonly range: readonly [number, number] };
type SecretRule = (report: (found: Reported) => void, content: string) => void;

/** Group 1, where there is one, stays. Lengths are bounded and prefixes literal: each is linear. */
const forms: readonly Form[] = [
  {
    kind: 'private-key',
    pattern:
      /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?:(?!-----)[\s\S]){1,16000}-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:(?:\s|\\[nr]){1,8}[A-Za-z0-9+/=]{16,200}){1,400})/g,
  },
  { kind: 'aws-access-key', pattern: /\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g },
  {
    kind: 'aws-secret-key',
    pattern:
      /((?:aws_?)?(?:secret_?(?:access_?)?key|session_?token)["']?\s{0,8}[:=]\s{0,8}["']?)[A-Za-z0-9/+=]{40,1200}(?![A-Za-z0-9/+=])/gi,
  },
  { kind: 'github-token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9_]{20,255}|github_pat_[A-Za-z0-9_]{22,255})/g },
  {
    kind: 'jwt',
    pattern: /\beyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,6000}(?:\.[A-Za-z0-9_-]{8,2000})?/g,
  },
  {
    kind: 'stripe-key',
    pattern: /\b(?:[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,250}|whsec_[A-Za-z0-9+/=]{24,250})/g,
  },
  { kind: 'anthropic-key', pattern: /\bsk-ant-[A-Za-z0-9_-]{16,250}/g },
  {
    kind: 'openai-key',
    pattern: /\bsk-(?:proj-|svcacct-|admin-)[A-Za-z0-9_-]{20,250}|\bsk-[A-Za-z0-9]{32,64}\b/g,
  },
  {
    kind: 'google-key',
    pattern: /\b(?:AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[A-Za-z0-9_-]{20,2000})/g,
  },
  {
    kind: 'npm-token',
    pattern: /\bnpm_[A-Za-z0-9]{30,255}|(_authToken=)[^\s"'$]{8,500}|(\b_auth=)[A-Za-z0-9+/=]{8,500}/g,
  },
  { kind: 'slack-token', pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,250}|\bxapp-\d-[A-Za-z0-9-]{10,250}/g },
  { kind: 'slack-webhook', pattern: /(hooks\.slack\.com\/(?:services|workflows)\/)[A-Za-z0-9/_-]{20,250}/g },
  { kind: 'gitlab-token', pattern: /\bgl(?:pat|dt|ptt|rt|cbt|agent|soat|ft|imt)-[A-Za-z0-9_.-]{18,250}/g },
  { kind: 'pypi-token', pattern: /\bpypi-AgE[A-Za-z0-9_-]{50,1000}/g },
  {
    kind: 'package-token',
    pattern:
      /\b(?:rubygems_[a-f0-9]{48}|cio[A-Za-z0-9]{32}|oy2[a-z0-9]{43}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,100})\b/g,
  },
  {
    kind: 'cloud-token',
    pattern:
      /\b(?:dop_v1_[a-f0-9]{64}|doo_v1_[a-f0-9]{64}|hv[sbr]\.[A-Za-z0-9_-]{24,300}|dp\.(?:st|pt|ct)\.[A-Za-z0-9._-]{40,100}|sbp_[a-f0-9]{40}|nfp_[A-Za-z0-9]{36}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,80}|sntry[su]_[A-Za-z0-9+/=_-]{40,500}|sqp_[a-f0-9]{40}|PMAK-[a-f0-9-]{59}|pul-[a-f0-9]{40}|EZ[AT]K[A-Za-z0-9]{54}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|AGE-SECRET-KEY-1[A-Z0-9]{58})\b/g,
  },
  {
    kind: 'mail-token',
    pattern:
      /\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{32,64}|\bkey-[a-f0-9]{32}\b|\b[a-f0-9]{32}-us\d{1,2}\b/g,
  },
  {
    kind: 'chat-token',
    pattern:
      /\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b|(discord(?:app)?\.com\/api\/webhooks\/)\d{1,20}\/[A-Za-z0-9_-]{30,100}|\b[MN][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}\b/g,
  },
  {
    kind: 'azure-key',
    pattern:
      /((?:AccountKey|SharedAccessKey)=)[A-Za-z0-9+/]{40,100}={0,2}|([?&]sig=)[A-Za-z0-9%+/=]{30,200}/g,
  },
  {
    kind: 'service-token',
    pattern:
      /\b(?:SK[a-f0-9]{32}|NRAK-[A-Z0-9]{27}|pscale_(?:pw|tkn|oauth)_[A-Za-z0-9_.=-]{32,64}|fm2_[A-Za-z0-9+/=]{80,2000}|A(?:TATT|TCTT|TBB)[A-Za-z0-9_-]{20,250}(?:=[A-F0-9]{8})?|tskey-[a-z]{2,10}-[A-Za-z0-9]{8,32}-[A-Za-z0-9]{20,64}|gsk_[A-Za-z0-9]{40,64}|xai-[A-Za-z0-9]{60,100}|r8_[A-Za-z0-9]{37}|figd_[A-Za-z0-9_-]{38,64}|ntn_[A-Za-z0-9]{40,60}|lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}|rnd_[A-Za-z0-9]{28,40}|ph[xc]_[A-Za-z0-9]{40,60}|pat[A-Za-z0-9]{14}\.[a-f0-9]{64}|sl\.[A-Za-z0-9_-]{130,2000}|sk-(?:live|test|prod)-(?=[A-Za-z_-]{0,20}\d)[A-Za-z0-9_-]{20,250})(?![A-Za-z0-9])/g,
  },
  // What stands where only a password can: `curl -u name:…`, and a cookie that somebody got.
  {
    kind: 'password',
    pattern: /(\bcurl\b[^\n]{0,200}?\s(?:-u|--user)[ =]["']?[^\s:"'$]{1,64}:)[^\s"'$]{4,100}/g,
  },
  {
    kind: 'password',
    pattern: /(\b(?:set-)?cookie:[ \t]{0,3}[A-Za-z0-9_.-]{1,64}=)[^\s;"']{16,4000}/gi,
  },
  { kind: 'docker-auth', pattern: /("auth"\s{0,4}:\s{0,4}")[A-Za-z0-9+/]{16,500}={0,2}(?=")/g },
];

/**
 * A word for a secret, a sign, a value: `DB_PASSWORD=x7kq…`, `"apiKey": "…"`, `--token=…`. The value must look made, not written: see `made`.
 */
const assigned =
  /((?:^|[^A-Za-z0-9])[A-Za-z0-9_.-]{0,40}(?:passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?token|access[_-]?token|refresh[_-]?token|client[_-]?secret|[_-]token|credential)["']?(?:[ \t]{0,3}[:=][ \t]{0,3}|=>[ \t]{0,2})["']?)([^\s"'`,;(){}[\]<>|\\]{6,300})/gi;

const libraryRules = loadRules();

/** Ordered by place in the table, not in the text; spans may overlap. */
export function patternSpans(text: string): readonly SecretSpan[] {
  const found: SecretSpan[] = [];
  for (const { kind, pattern } of forms) {
    for (const match of text.matchAll(pattern)) {
      const start = match.index;
      const kept = match[1] ?? match[2] ?? '';
      found.push({ start, from: start + kept.length, to: start + match[0].length, name: kind });
    }
  }
  for (const match of text.matchAll(assigned)) {
    const value = match[2] ?? '';
    if (REFERENCE.test(value)) continue;
    if (!VARIABLE.test(match[1] ?? '') && !made(value)) continue;
    const from = match.index + (match[1] ?? '').length;
    found.push({ start: match.index, from, to: from + value.length, name: 'password' });
  }
  for (const [kind, rule] of libraryRules) {
    rule(({ range: [from, to] }) => {
      if (to > from) found.push({ start: from, from, to, name: kind });
    }, text);
  }
  return found;
}

/** A path, another variable, a placeholder, a number: where the secret is, and not what it is. */
const REFERENCE =
  /^[$%*<@/.~]|\$\{|\*{3}|^\d+(?:\.\d+)*$|:\/\/|^\[(?:secret|redacted):|[/\\]\w+[/\\]|^(?:env|file|process|os|config|settings|secrets|vault|ref|arn):|\.(?:\w+\.)+\w*$/i;
/** `DB_PASSWORD=`: whatever a variable of that name holds is one, a plain word too. */
const VARIABLE =
  /[A-Z](?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|_KEY)=["']?$|_(?:PASSWORD|PASSWD|SECRET|TOKEN)=["']?$/;

/** Not a word or a name: letters and digits mixed. */
function made(value: string): boolean {
  if (/^[A-Za-z]+\d{0,4}$/.test(value)) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length;
  return /\d/.test(value) && kinds >= 2 && new Set(value).size >= 5;
}

/** secretlint's rules as functions. What a rule finds only later is not waited for: none of the preset does so for text. */
function loadRules(): readonly (readonly [kind: string, rule: SecretRule])[] {
  const rules: [string, SecretRule][] = [];
  preset.create(
    {
      sharedOptions: {},
      registerRule: (rule, options) => {
        const kind = kindOf(rule.meta.id);
        if (kind !== undefined) rules.push([kind, asFunction(rule, options)]);
      },
    },
    {},
  );
  return rules;
}

function asFunction(
  rule: Parameters<SecretLintRulePresetContext['registerRule']>[0],
  options: unknown,
): SecretRule {
  return (report, content) => {
    const host = {
      sharedOptions: {},
      report,
      ignore: () => undefined,
      createTranslator: () => (messageId: string) => ({ message: messageId, messageId }),
    };
    const found = rule
      .create(host as never, (options ?? {}) as never)
      .file?.({ ...source, content } as never);
    // What a rule throws only says that it does not understand the text.
    void Promise.resolve(found).catch(() => undefined);
  };
}

const source = { filePath: 'log.txt', ext: '.txt', contentType: 'text', hasBOM: false } as const;

/**
 * `@secretlint/secretlint-rule-github` finds a `github-token`. Undefined for what is no finder, or done better here: the rule for AWS
 * reports a range that ends before the key does, the one for private keys needs their end.
 */
function kindOf(id: string): string | undefined {
  const name = id.split('secretlint-rule-').at(-1) ?? id;
  if (['filter-comments', 'privatekey', 'aws'].includes(name)) return undefined;
  if (name === 'basicauth') return 'password';
  if (name === 'database-connection-string') return 'connection-string';
  return `${name}-token`;
}
