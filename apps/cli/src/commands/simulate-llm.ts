import { simulateLlm } from '@almanac/simulator'

/** `almanac simulate-llm`: the provider's wire on this machine, until a signal ends it. */
export async function simulateProvider(args: readonly string[]): Promise<void> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      stop.abort()
    })
  process.exitCode = await simulateLlm(args, {
    print: (line: string) => void process.stdout.write(`${line}\n`),
    printError: (line: string) => void process.stderr.write(`${line}\n`),
    signal: stop.signal,
  })
}
