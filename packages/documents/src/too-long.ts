import type { Finding } from '@almanac/domain'

/** Collects TOO_LONG: `check` adds a finding where more is found than is allowed. */
export function lengthChecks() {
  const findings: Finding[] = []
  const check = (path: string, what: string, found: number, most: number): void => {
    if (found <= most) return
    findings.push({
      code: 'TOO_LONG',
      severity: 'error',
      path,
      message: `has ${found} ${what}, ${found - most} too many`,
      expected: `at most ${most}`,
      found: String(found),
    })
  }
  return { findings, check }
}
