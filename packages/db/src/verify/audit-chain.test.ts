import { canonicalJson } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { auditEventOf, chainHash } from '../chain.ts'
import { judgeLink, type StoredLink } from './audit-chain.ts'
import { collectFindings, type Problem } from './check.ts'

const tenant_id = 'ten_01kafexample0000000000000000'

/** A chain of `length` links as the chain loop makes it. */
function makeChain(length: number): StoredLink[] {
  const links: StoredLink[] = []
  for (let seq = 1; seq <= length; seq += 1) {
    const id = `aud_${String(seq).padStart(26, '0')}`
    const event = {
      ...{ id, tenant_id, at: new Date(seq * 1_000), actor: 'system' },
      ...{ action: 'run.succeeded', subject: `run ${seq}`, detail: canonicalJson({ n: seq }) },
    }
    const previous_hash = links.at(-1)?.hash ?? ''
    const hash = chainHash({ seq, previousHash: previous_hash, event: auditEventOf(event) })
    links.push({ tenant_id, seq, event_id: id, previous_hash, hash, event })
  }
  return links
}

function judge(links: readonly StoredLink[]): Problem[] {
  const check = { promise: 'P5', name: '', unit: '', run: () => Promise.resolve() } as const
  const { findings, result } = collectFindings(check, () => undefined)
  links.forEach((link, i) => judgeLink(links[i - 1], link, links[i + 1], findings))
  return result.problems
}

/** The chain with the `n`th link changed. */
const withLink = (n: number, change: (link: StoredLink) => Partial<StoredLink>) =>
  makeChain(3).map((link) => (link.seq === n ? { ...link, ...change(link) } : link))

const rows = (problems: readonly Problem[]) =>
  problems.map(({ table, row }) => `${table} ${row['seq'] ?? String(row['id']).slice(-1)}`)

describe('a link', () => {
  it('is in order as it was made', () => {
    expect(judge(makeChain(3))).toEqual([])
    expect(judge([])).toEqual([])
  })

  it.each([1, 2])('%i whose event was changed is told from one whose hash was', (n) => {
    const event = (link: StoredLink) => link.event && { ...link.event, subject: 'run 9' }
    const problems = judge(withLink(n, (link) => ({ event: event(link) })))
    expect(rows(problems)).toEqual([`audit_events ${n}`])
    // The next link still holds the hash that the event gives.
    const hashed = judge(withLink(n, () => ({ hash: 'f'.repeat(64) })))
    expect(rows(hashed)).toEqual([`audit_chain ${n}`])
  })

  it('at the head names both, for either may have been changed', () => {
    const both = ['audit_events 3', 'audit_chain 3']
    expect(rows(judge(withLink(3, () => ({ hash: 'f'.repeat(64) }))))).toEqual(both)
    const event = (link: StoredLink) => link.event && { ...link.event, actor: 'nobody' }
    expect(rows(judge(withLink(3, (link) => ({ event: event(link) }))))).toEqual(both)
  })

  it.each([1, 2, 3])('%i whose previous hash was changed says so', (n) => {
    const problems = judge(withLink(n, () => ({ previous_hash: 'f'.repeat(64) })))
    expect(problems.map(({ what }) => what)).toEqual(['its previous hash was changed'])
    expect(rows(problems)).toEqual([`audit_chain ${n}`])
  })

  it('that was made anew with its event does not fit the ones beside it', () => {
    const [first, second, third] = makeChain(3)
    if (!first || !second?.event || !third) throw new Error('three links')
    const event = { ...second.event, subject: 'run 9' }
    const hash = chainHash({ seq: 2, previousHash: first.hash, event: auditEventOf(event) })
    expect(rows(judge([first, { ...second, event, hash }, third]))).toEqual(['audit_chain 3'])
  })

  it('that is missing is noticed by the next', () => {
    const [first, , third] = makeChain(3)
    expect(rows(judge([first, third].filter((link) => link !== undefined)))).toEqual([
      'audit_chain 3',
    ])
    expect(rows(judge(makeChain(3).slice(1)))).toEqual(['audit_chain 2'])
  })

  it('without event, or with one whose text is not canonical, is a problem', () => {
    expect(rows(judge(withLink(2, () => ({ event: null }))))).toEqual(['audit_chain 2'])
    const spaced = (link: StoredLink) => link.event && { ...link.event, detail: '{"n": 2}' }
    expect(rows(judge(withLink(2, (link) => ({ event: spaced(link) }))))).toEqual([
      'audit_events 2',
    ])
  })
})
