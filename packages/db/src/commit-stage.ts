import { AlmanacError, canonicalJson, isStorable, terminologyVersion } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { CommitStage, StageCommit, Verdict } from '@almanac/pipeline'
import { sql } from 'kysely'
import { groupCalls } from './group-calls.ts'
import type { Database } from './pool.ts'

/**
 * Records stages. The commits of concurrent jobs become one statement, `commit_stages`, which fences
 * each by its run's epoch and answers a verdict for each. A commit that the database cannot take is
 * rejected with STAGE_FAILED, alone.
 */
export function createCommitStage(db: Database): CommitStage {
  const send = groupCalls(async (commits: readonly object[]): Promise<Verdict[]> => {
    const rows = await db.querySystem(
      'commit',
      sql<{ verdict: Verdict }>`select verdict from commit_stages(
        ${JSON.stringify(commits)}::jsonb) order by n`,
    )
    return rows.map(({ verdict }) => verdict)
  })
  return {
    async commitStage(commit) {
      assertStorable(commit)
      try {
        return await send(commit.conclusion ? withAudit(commit) : commit)
      } catch (cause) {
        if (cause instanceof AlmanacError) throw cause
        throw new AlmanacError('STAGE_FAILED', { stage: commit.stage }, { cause })
      }
    },
  }
}

/** What a success is audited with: the hashes by which everything it recorded can be checked. */
function withAudit(commit: StageCommit): object {
  const { conclusion } = commit
  return {
    ...commit,
    terminologyVersion,
    auditId: newId('audit'),
    auditDetail: canonicalJson({
      documentId: conclusion?.documentId,
      versionId: conclusion?.version.id,
      contentHash: conclusion?.version.contentHash,
      packageHash: conclusion?.version.packageHash,
      score: conclusion?.version.score,
      artifacts: conclusion?.artifacts.map(({ id, format, sha256 }) => ({ id, format, sha256 })),
    }),
  }
}

/** JSON escapes exactly what Postgres cannot hold, so most commits need no second look. */
const suspicious = /\\u(?:0000|d[89a-f])/i

function assertStorable(commit: StageCommit): void {
  if (!suspicious.test(JSON.stringify(commit))) return
  const output: unknown = commit.output === null ? null : JSON.parse(commit.output)
  if (!holdsUnstorable([commit, output])) return
  const cause = new Error('the result holds a NUL or half a character, which cannot be stored')
  throw new AlmanacError('STAGE_FAILED', { stage: commit.stage }, { cause })
}

function holdsUnstorable(value: unknown): boolean {
  if (typeof value === 'string') return !isStorable(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, inner]) => !isStorable(key) || holdsUnstorable(inner))
}
