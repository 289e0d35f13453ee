import { auditLineText, checkAudit, exportAudit, findTenants, type AuditCheck } from '@almanac/db'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { almanac, until } from '../support/almanac-process.ts'
import type { TestDatabase } from '../support/postgres.ts'
import type { PaidSystem } from './paid-system.ts'

/** Waits until every act is a link of its tenant's chain. */
export const untilLinked = ({ superuser }: TestDatabase): Promise<true> =>
  until(async () => {
    const unlinked = await superuser('select from audit_unchained')
    return unlinked.length === 0 || undefined
  })

/** How many of an export's bytes are changed, one at a time. */
const changes = 40

/**
 * An export of the audit proves so many roots, and nothing that differs from it by a byte does. As
 * `almanac audit export` and `check` do it, in this process.
 */
export async function expectAuditHolds(test: TestDatabase, roots: number): Promise<void> {
  await untilLinked(test)
  const lines = await auditOf(test)
  expect(await checkLines(lines)).toMatchObject({ ok: true, findings: [], roots })
  const step = Math.floor(lengthOf(lines) / changes)
  for (let at = step; at < step * changes; at += step) {
    const { ok } = await checkLines(withChangedByte(lines, at))
    expect({ at, ok }).toEqual({ at, ok: false })
  }
}

/**
 * `almanac audit export` writes what `almanac audit check` accepts, without the database, with so many
 * roots proved; and nothing that differs from it by a byte.
 */
export async function expectExportHolds(
  { test, env }: Pick<PaidSystem, 'test' | 'env'>,
  folder: string,
  roots: number,
): Promise<void> {
  await untilLinked(test)
  const file = join(folder, 'audit.ndjson')
  const exported = await almanac(['audit', 'export', '--out', file], { env })
  expect(exported.code, exported.stderr).toBe(0)
  const checked = await almanac(['audit', 'check', file])
  expect(checked.stdout).toContain(`${roots} refinements follow from their acts`)
  expect(checked.code, checked.stdout).toBe(0)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const middle = Math.floor(lengthOf(lines) / 2)
  writeFileSync(file, `${withChangedByte(lines, middle).join('\n')}\n`)
  const changed = await almanac(['audit', 'check', file])
  expect(changed.stdout).toContain('✕')
  expect(changed.code).toBe(1)
}

/** The audit of all tenants as `almanac audit export` writes it, line by line. */
async function auditOf({ db }: TestDatabase): Promise<string[]> {
  return db.withSystem('operators', async (trx) => {
    const lines: string[] = []
    for (const { id } of await findTenants(trx))
      for await (const line of exportAudit(trx, id)) lines.push(auditLineText(line))
    return lines
  })
}

/** Checks lines as `almanac audit check` does. */
function checkLines(lines: readonly string[]): Promise<AuditCheck> {
  async function* one() {
    for (const line of lines) yield await Promise.resolve(line)
  }
  return checkAudit(one())
}

/** The lines with one byte of one line changed: `at` counts through all of them. */
function withChangedByte(lines: readonly string[], at: number): string[] {
  let [line, rest] = [0, at]
  while (rest >= (lines[line]?.length ?? Infinity)) {
    rest -= lines[line]?.length ?? 0
    line += 1
  }
  const text = lines[line] ?? ''
  const other = text[rest] === '1' ? '2' : '1'
  return lines.with(line, text.slice(0, rest) + other + text.slice(rest + 1))
}

const lengthOf = (lines: readonly string[]): number =>
  lines.reduce((sum, { length }) => sum + length, 0)
