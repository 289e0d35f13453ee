import type { Log } from './logger.ts'

/**
 * An orderly end, which is not a failure:
 *
 *   1. The first SIGTERM or SIGINT, or a call of `begin`, aborts `signal`: nothing new is started.
 *   2. What was registered with `onShutdown` runs in reverse order, one after the other, each
 *      waited for. All together have the grace.
 *   3. When the grace is over, the signal that the steps were given aborts. The one at hand, and
 *      each one after it, has `afterGraceMs` to give its work back; then it is left behind.
 *   4. `done` resolves to the exit code: the one that the end began with (0 for a signal), or 1 when
 *      a step threw or was left behind.
 *
 * A second signal ends the process at once, with 128 plus its number, as a shell would report it. One
 * that comes within `echoMs` is the first one's echo: npm passes on the Ctrl-C that the terminal has
 * already sent to everybody.
 */
export interface Shutdown {
  /** Aborted as soon as the end begins. */
  readonly signal: AbortSignal
  /** Resolves to the exit code when all steps have run. */
  readonly done: Promise<number>
  /** Registers a step; steps run in reverse order of their registration. */
  onShutdown(name: string, step: ShutdownStep): void
  /** Begins the end; later calls change nothing. Resolves like `done`. */
  begin(reason: string, exitCode?: number): Promise<number>
  /** Begins the end on SIGTERM and SIGINT from now on, until the end is over. */
  listen(): void
}

/** What one part does to end; the signal aborts when the grace is over. */
export type ShutdownStep = (graceOver: AbortSignal) => Promise<void> | void

export interface ShutdownOptions {
  log: Log
  graceMs: number
  afterGraceMs?: number
  echoMs?: number
  /** Where signals come from and where a second one leads; a test brings its own. */
  host?: SignalHost
}

export interface SignalHost {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
  off(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
  exit(code: number): void
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/** An orderly end of this process, with no steps yet. */
export function createShutdown({
  log,
  graceMs,
  afterGraceMs = 2000,
  echoMs = 500,
  host = process,
}: ShutdownOptions): Shutdown {
  const steps: { name: string; step: ShutdownStep }[] = []
  const begun = new AbortController()
  const { promise: done, resolve: finish } = Promise.withResolvers<number>()

  const begin = (reason: string, exitCode = 0): Promise<number> => {
    if (begun.signal.aborted) return done
    begun.abort(new Error(`shutting down: ${reason}`))
    log.info({ reason }, 'shutting down')
    void runSteps(exitCode).then(finish)
    return done
  }

  const runSteps = async (exitCode: number): Promise<number> => {
    const grace = new AbortController()
    const timer = setTimeout(() => grace.abort(new Error('the grace is over')), graceMs)
    let code = exitCode
    for (let next = steps.pop(); next; next = steps.pop()) {
      const end = await endOf(next.step, grace.signal, afterGraceMs)
      if (end.kind === 'done') continue
      if (code === 0) code = 1
      if (end.kind === 'late') log.warn({ step: next.name }, 'shutdown left a step behind')
      else log.warn({ step: next.name, err: end.error }, 'a step of the shutdown failed')
    }
    clearTimeout(timer)
    log.info({ code }, 'shut down')
    return code
  }

  const listen = () => {
    let firstAt: number | undefined
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const listener = () => {
        if (firstAt !== undefined && performance.now() - firstAt < echoMs) return
        firstAt ??= performance.now()
        if (begun.signal.aborted) host.exit(exitCodes[signal])
        else void begin(signal)
      }
      host.on(signal, listener)
      void done.then(() => host.off(signal, listener))
    }
  }

  return {
    signal: begun.signal,
    done,
    onShutdown: (name, step) => void steps.push({ name, step }),
    begin,
    listen,
  }
}

type StepEnd = { kind: 'done' } | { kind: 'late' } | { kind: 'failed'; error: unknown }

/** Runs the step until it ends, or until it used up what it has after the grace. */
async function endOf(
  step: ShutdownStep,
  grace: AbortSignal,
  afterGraceMs: number,
): Promise<StepEnd> {
  const { promise: late, resolve } = Promise.withResolvers<StepEnd>()
  let timer: NodeJS.Timeout | undefined
  const lastCall = () => {
    timer = setTimeout(() => resolve({ kind: 'late' }), afterGraceMs)
  }
  const run = async (): Promise<StepEnd> => {
    try {
      await step(grace)
      return { kind: 'done' }
    } catch (error) {
      return { kind: 'failed', error }
    }
  }
  if (grace.aborted) lastCall()
  else grace.addEventListener('abort', lastCall)
  try {
    return await Promise.race([run(), late])
  } finally {
    grace.removeEventListener('abort', lastCall)
    clearTimeout(timer)
  }
}
