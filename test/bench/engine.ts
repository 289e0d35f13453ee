import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { z } from 'zod'
import { startFlags, until } from '../support/almanac-process.ts'
import { metric, type Metric } from './measurements.ts'

export const model = 'gpt-5.4-mini'
const calls = 1_400
const width = 100

const main = join(import.meta.dirname, '../../apps/cli/src/main.ts')
const executes = join(import.meta.dirname, 'streamed-executes.ts')

const took = z.object({ rssMb: z.number(), cpuMs: z.number(), ms: z.number() })

/**
 * `npm run bench -- engine`: what 100 streamed calls at once take of a process's memory, with the
 * flags that `npm start` gives; the simulator writes each answer over seconds in another process.
 */
export async function benchEngine({ rounds }: { rounds: number }): Promise<Record<string, Metric>> {
  const simulator = spawn(
    process.execPath,
    [main, 'simulate-llm', '--port', '0', '--latency-ms', '300', '--tokens-per-second', '1500'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  try {
    const baseUrl = await addressOf(simulator)
    const figures = { streamedExecutesRssMb: [], cpuMsPerCall: [], callsPerSecond: [] }
    const noted: Record<keyof typeof figures, number[]> = figures
    for (let round = 0; round < rounds; round += 1) {
      const { rssMb, cpuMs, ms } = await measure(baseUrl)
      noted.streamedExecutesRssMb.push(rssMb)
      noted.cpuMsPerCall.push(cpuMs / calls)
      noted.callsPerSecond.push((calls * 1_000) / ms)
    }
    return {
      streamedExecutesRssMb: metric(noted.streamedExecutesRssMb, 'MB'),
      cpuMsPerCall: metric(noted.cpuMsPerCall, 'ms'),
      callsPerSecond: metric(noted.callsPerSecond, '1/s'),
    }
  } finally {
    simulator.kill('SIGTERM')
  }
}

async function addressOf(simulator: ChildProcess): Promise<string> {
  let said = ''
  simulator.stdout?.on('data', (text: Buffer) => (said += text.toString()))
  return until(() => / at (http:\S+\/v1)/.exec(said)?.[1])
}

async function measure(baseUrl: string): Promise<z.output<typeof took>> {
  const args = [...startFlags(), executes, baseUrl, String(calls), String(width)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (text: Buffer) => (said += text.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`the calls ended with ${String(code)}`)
  return took.parse(JSON.parse(said))
}
