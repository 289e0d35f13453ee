import { parseArgs } from 'node:util'
import { AlmanacError, isAlmanacError, type Issue } from '@almanac/domain'
import { faultNames } from './faults/fault.ts'
import type { SimulatorOptions } from './settings.ts'
import { createSimulator } from './simulator.ts'

export const usage = `Usage: simulate-llm [options]

Plays the wire of OpenAI's API on this machine: no key, no cost, no network.

  --port N                  port to listen on (default: 4010; 0 for any free one)
  --host ADDRESS            address to listen on (default: 127.0.0.1)
  --seed TEXT               same seed, same request, same answer (default: 1)
  --latency-ms N            time to the first byte (default: 0)
  --tokens-per-second N     how fast answers are written (default: at once)
  --jitter SHARE            how much both vary, 0 to 1 (default: 0)
  --requests-per-minute N   rate limit of each key (default: none that matters)
  --tokens-per-minute N     the same for tokens
  --fault NAME=SHARE        spoil this share of the requests, 0 to 1; may be repeated
  --model NAME              play this model too; may be repeated
  --log-file FILE           append every request to FILE, one JSON object a line
  --help                    this text

Faults: ${faultNames.join(', ')}.
A request whose text holds [[simulate:NAME]] gets that fault.
`

const flags = {
  port: { type: 'string', default: '4010' },
  host: { type: 'string' },
  seed: { type: 'string' },
  'latency-ms': { type: 'string' },
  'tokens-per-second': { type: 'string' },
  jitter: { type: 'string' },
  'requests-per-minute': { type: 'string' },
  'tokens-per-minute': { type: 'string' },
  fault: { type: 'string', multiple: true },
  model: { type: 'string', multiple: true },
  'log-file': { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

export interface CommandPorts {
  /** Writes text for people, as it is. */
  print: (text: string) => void
  /** Writes what is wrong. */
  printError: (text: string) => void
  /** Aborted when the command shall end. */
  signal: AbortSignal
}

/** Runs `simulate-llm` until its signal is aborted; resolves with the exit code. */
export async function simulateLlm(
  args: readonly string[],
  { print, printError, signal }: CommandPorts,
): Promise<number> {
  try {
    const given = readFlags(args)
    if (given === 'help') {
      print(usage)
      return 0
    }
    const simulator = createSimulator(given.options, {
      onError: (error) => printError(`${error instanceof Error ? error.stack : String(error)}\n`),
    })
    const { baseUrl, url, close } = await simulator.listen(given.port)
    print(`Simulating the OpenAI API at ${baseUrl} (seed ${simulator.control.settings().seed}).
Try it: OPENAI_BASE_URL=${baseUrl} OPENAI_API_KEY=any. What was asked: ${url}/_control/requests
`)
    await aborted(signal)
    await close()
    return 0
  } catch (error) {
    if (!isAlmanacError(error)) throw error
    printError(`${error.message}\n`)
    return error.code === 'INPUT_INVALID' ? 2 : 1
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

function readFlags(args: readonly string[]): { port: number; options: SimulatorOptions } | 'help' {
  const { values } = parsed(args)
  if (values.help) return 'help'
  const issues: Issue[] = []
  const number = (flag: keyof typeof values): number | undefined => {
    const text = values[flag]
    if (typeof text !== 'string') return undefined
    const value = Number(text)
    if (text.trim() !== '' && Number.isFinite(value)) return value
    issues.push({ field: `--${flag}`, message: 'must be a number', value: JSON.stringify(text) })
    return undefined
  }
  const port = number('port') ?? 0
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    issues.push({ field: '--port', message: 'must be from 0 to 65535', value: String(port) })
  const options: SimulatorOptions = {
    host: values.host,
    seed: values.seed,
    models: values.model,
    logFile: values['log-file'],
    latency: {
      firstByteMs: number('latency-ms'),
      tokensPerSecond: number('tokens-per-second'),
      jitter: number('jitter'),
    },
    limits: {
      requestsPerMinute: number('requests-per-minute'),
      tokensPerMinute: number('tokens-per-minute'),
    },
    probabilities: Object.fromEntries((values.fault ?? []).map((text) => share(text, issues))),
  }
  if (issues.length > 0) throw new AlmanacError('INPUT_INVALID', { issues })
  return { port, options }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new AlmanacError('INPUT_INVALID', { issues: [{ field: 'arguments', message }] })
  }
}

function share(text: string, issues: Issue[]): [name: string, share: number] {
  const [name = '', value = ''] = text.split('=')
  const found = JSON.stringify(text)
  if (!faultNames.some((known) => known === name))
    issues.push({
      field: '--fault',
      message: `must name one of ${faultNames.join(', ')}`,
      value: found,
    })
  else if (value.trim() === '' || !Number.isFinite(Number(value)))
    issues.push({
      field: '--fault',
      message: 'must be NAME=SHARE, such as refused=0.1',
      value: found,
    })
  return [name, Number(value)]
}
