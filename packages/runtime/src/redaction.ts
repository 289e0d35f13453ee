/** Exact secrets shorter than this are left to the patterns: hiding "postgres" would hide half a log. */
const leastExactLength = 12

const hidden = '[redacted]'

/** Fields whose value is secret wherever they stand in a line of JSON. */
const secretField =
  /"((?:[a-z0-9_-]*[_-])?(?:authorization|cookie|set-cookie|password|passwd|secret|secrets|token|api[_-]?key|seal[_-]?keys?|connectionstring))":\s*(?:"(?:[^"\\]|\\.)*"|\[(?:"(?:[^"\\]|\\.)*",?)*\]|\d+)/gi

/** Texts that give themselves away as secrets: in URLs, in headers, by their prefix. */
const secretTexts: readonly [RegExp, string][] = [
  [/([a-z][a-z0-9+.-]*:\/\/[^\s/?#"':@]*):[^\s/?#"']*@/gi, `$1:${hidden}@`],
  [/\b(bearer|basic)\s+[\w~+/.=-]{8,}/gi, `$1 ${hidden}`],
  [/\b(alm|sk|whsec)[_-][\w-]{16,}/g, `$1_${hidden}`],
]

/** What a text must hold for any of the patterns above to find something in it. */
const suspicious =
  /authorization|cookie|passw|secret|token|key|connectionstring|:\/\/|bearer|basic|alm[_-]|sk[_-]|whsec/i

/** The text without passwords of URLs, bearer tokens and keys known by their prefix. */
export const redactedText = (text: string): string =>
  secretTexts.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text)

/**
 * A function that takes every secret out of one line of JSON, wherever it stands and however deep:
 * `secrets` by their exact text, others by the name of their field or by their look.
 */
export function lineRedactor(secrets: readonly string[]): (line: string) => string {
  const exact = secrets
    .filter((secret) => secret.length >= leastExactLength)
    .toSorted((a, b) => b.length - a.length)
    .map((secret) => JSON.stringify(secret).slice(1, -1))
  return (line) => {
    const rest = exact.reduce((text, secret) => text.replaceAll(secret, hidden), line)
    // Most lines hold nothing that the patterns could find, and one look tells.
    if (!suspicious.test(rest)) return rest
    return redactedText(rest.replace(secretField, `"$1":"${hidden}"`))
  }
}
