import { AlmanacError, canonicalJson, isStorable, terminologyVersion } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { CommitStage, StageCommit, Verdict } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Codec } from './codec.ts'
import { bytesOf, mostBytes, packBlobs, sealText, type Blob } from './content.ts'
import { groupCalls } from './group-calls.ts'
import type { Database } from './pool.ts'

/**
 * Records stages. The commits of concurrent jobs become one statement, `commit_stages`, which fences
 * each by its run's epoch and answers a verdict for each; their texts go with them. A commit that the database cannot take is
 * rejected with STAGE_FAILED, alone.
 */
export function createCommitStage(db: Database, codec: Codec): CommitStage {
  const send = groupCalls(
    async (groups: readonly Sendable[]): Promise<Verdict[]> => {
      const { index, bytes } = packBlobs(groups.flatMap(({ blobs }) => blobs))
      const commits = groups.map(({ commit }) => commit)
      const rows = await db.querySystem(
        'commit',
        sql<{ verdict: Verdict }>`select verdict from commit_stages(
        ${JSON.stringify(commits)}::jsonb, ${index}::jsonb, ${bytes}::bytea) order by n`,
      )
      return rows.map(({ verdict }) => verdict)
    },
    { max: mostCommits, weigh: ({ blobs }) => bytesOf(blobs), mostWeight: mostBytes },
  )
  return {
    async commitStage({ texts = [], ...commit }) {
      assertStorable(commit)
      const blobs = texts.map((text) => sealText(codec, commit.tenantId, text))
      try {
        return await send({ commit: commit.conclusion ? withAudit(commit) : commit, blobs })
      } catch (cause) {
        if (cause instanceof AlmanacError) throw cause
        throw new AlmanacError('STAGE_FAILED', { stage: commit.stage }, { cause })
      }
    },
  }
}

/** Commits that one statement takes: a hundred trivial ones cost it little more than ten. */
const mostCommits = 256
interface Sendable {
  commit: object
  blobs: Blob[]
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
