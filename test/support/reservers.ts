import type { HoldRequest } from '@almanac/pipeline'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import type { Held, Workplace } from './reserve-process.ts'

/** Processes that reserve, each with a ledger and a mirror of its own. */
export interface Reservers {
  /** Asks for all at once, each process for its share. */
  hold(requests: readonly HoldRequest[]): Promise<Held>
}

/** Starts processes that reserve, until the test is finished. */
export function startReservers(count: number, workplace: Workplace): Reservers {
  const reservers = Array.from({ length: count }, () => startReserver(workplace))
  return {
    hold: async (requests) => {
      const shares = reservers.map((_, at) => requests.filter((_one, i) => i % count === at))
      const held = await Promise.all(reservers.map((ask, at) => ask(shares[at] ?? [])))
      return held.reduce((sum, one) => ({
        granted: sum.granted + one.granted,
        refused: sum.refused + one.refused,
      }))
    },
  }
}

function startReserver(workplace: Workplace): (requests: HoldRequest[]) => Promise<Held> {
  const file = join(import.meta.dirname, 'reserve-process.ts')
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  child.stdin.write(`${JSON.stringify(workplace)}\n`)
  onTestFinished(async () => {
    child.stdin.end()
    const code = await ended
    if (code !== 0) throw new Error(`a process that reserves ended with ${code}`)
  })
  return async (requests) => {
    child.stdin.write(`${JSON.stringify(requests)}\n`)
    const answer = await answers.next()
    if (answer.done) throw new Error('a process that reserves has ended')
    return JSON.parse(answer.value) as Held
  }
}
