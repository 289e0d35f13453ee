import { lowestId } from '@almanac/domain/ids'
import { sql, type Kysely } from 'kysely'

/** A month's partition: its name's suffix and the run ids that it begins with and ends before. */
export interface MonthPartition {
  month: string
  lowerBound: string
  upperBound: string
}

/** The partitions of the months from `before` months ago to `ahead` months on, in UTC. Pure. */
export function monthPartitions(now: Date, before: number, ahead: number): MonthPartition[] {
  const startOf = (offset: number) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1))
  return Array.from({ length: before + 1 + ahead }, (_, i) => {
    const start = startOf(i - before)
    return {
      month: start.toISOString().slice(0, 7).replace('-', '_'),
      lowerBound: lowestId('run', start),
      upperBound: lowestId('run', startOf(i - before + 1)),
    }
  })
}

/** Makes the partitions that are missing; safe to repeat, and when two do it at once. */
export async function ensurePartitions<S>(
  db: Kysely<S>,
  partitions: readonly MonthPartition[],
): Promise<void> {
  for (const { month, lowerBound, upperBound } of partitions)
    await sql`select ensure_partition(${month}, ${lowerBound}, ${upperBound})`.execute(db)
}
