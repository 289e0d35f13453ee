import { AlmanacError, issuesOf } from '@almanac/domain'
import { manifest as manifestSchema, type Manifest } from '@almanac/plugin-api'
import { createInterface } from 'node:readline'
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { z } from 'zod'
import { reply as replySchema, type Order, type Target } from './messages.ts'

/**
 * A plugin, running in a thread of its own. Nothing that it does is done in the thread that calls: one
 * that throws, hangs, ends its process or eats its memory fails the call with PLUGIN_FAILED.
 *
 *   running   calls travel as messages; `callNow` sleeps until its answer is there
 *   killed    a silent thread is terminated; all its open calls fail
 *   resting   for `restMs`, and until a new thread has loaded the plugin, every call fails at once: a
 *             plugin that hangs in every call cannot keep its callers asleep. Runs try again later.
 *   running   as before
 */
export interface PluginThread {
  readonly manifest: Manifest
  /** Calls a method and parses what it answers; its last argument is an AbortSignal. */
  call<S extends z.ZodType>(
    target: Target,
    args: readonly unknown[],
    options: { answer: S; timeoutMs: number; signal: AbortSignal },
  ): Promise<z.output<S>>
  /** The same, asleep until it answers: for the pure functions that the pipeline calls so. */
  callNow<S extends z.ZodType>(target: Target, args: readonly unknown[], answer: S): z.output<S>
  close(): Promise<void>
}

export interface ThreadOptions {
  /** The URL of the plugin's module. */
  module: string
  environment: Readonly<Record<string, string>>
  /** What the plugin prints, line by line. */
  print: (line: string) => void
  /** How long loading may take. */
  loadMs?: number
  /** How long `callNow` may sleep; well below the 6 s after which a sleeping worker loses its lease. */
  nowMs?: number
  /** How long every call fails at once after the thread was killed. */
  restMs?: number
}

/** A plugin that cannot be used, with the reason; at the start only. */
export class PluginRefused extends Error {}

const memoryMb = 256
const pingMs = 1_000

interface Waiting {
  answer: (value: unknown) => void
  fail: (reason: string) => void
}

interface Running {
  tell(order: Order): void
  /** Hands on what has arrived; answers whether anything had. */
  drain(): boolean
  /** Sleeps until something arrives, at most so long. */
  sleep(ms: number): void
  hold(): void
  release(): void
  kill(): Promise<unknown>
}

/** Loads a plugin in a thread of its own. Throws PluginRefused. */
export async function startPluginThread(options: ThreadOptions): Promise<PluginThread> {
  const { loadMs = 30_000, nowMs = 2_000, restMs = 1_000 } = options
  const waiting = new Map<number, Waiting>()
  let running: Running | undefined
  let isLoaded = false
  let lastId = 0
  let closed = false
  let loaded: { ready: (manifest: Manifest) => void; refused: (reason: string) => void } | undefined

  const failAll = (reason: string) => {
    for (const one of [...waiting.values()]) one.fail(reason)
    loaded?.refused(reason)
  }
  const kill = (thread: Running, reason: string) => {
    if (running !== thread) return
    running = undefined
    isLoaded = false
    void thread.kill()
    failAll(reason)
    if (!loaded) setTimeout(restart, restMs).unref()
  }
  const restart = () => {
    if (closed) return
    const thread = start()
    // One that loads no more is stopped, and tried again after another rest.
    setTimeout(() => {
      if (!isLoaded) kill(thread, 'loading it again took too long')
    }, loadMs).unref()
  }
  const start = (): Running => {
    const thread: Running = spawn(options, {
      receive: (message) => {
        const reply = replySchema.parse(message)
        if (reply.kind === 'answered') waiting.get(reply.id)?.answer(reply.value)
        else if (reply.kind === 'threw') waiting.get(reply.id)?.fail(reply.reason)
        else if (reply.kind === 'refused') kill(thread, reply.reason)
        else {
          isLoaded = true
          loaded?.ready(manifestSchema.parse(reply.manifest))
        }
      },
      ended: (reason) => {
        kill(thread, reason)
      },
    })
    running = thread
    return thread
  }

  start().hold()
  const manifest = await new Promise<Manifest>((resolve, reject) => {
    const refuse = (reason: string) => {
      clearTimeout(timer)
      reject(new PluginRefused(reason))
    }
    const timer = setTimeout(() => {
      const thread = running
      if (thread) kill(thread, `loading it took longer than ${loadMs} ms`)
    }, loadMs)
    loaded = {
      refused: refuse,
      ready: (found) => {
        clearTimeout(timer)
        resolve(found)
      },
    }
  })
  loaded = undefined
  running?.release()

  const failed = (called: Target, reason: string) =>
    new AlmanacError('PLUGIN_FAILED', {
      plugin: manifest.name,
      hook: nameOf(manifest, called),
      reason,
    })
  const parsed = <S extends z.ZodType>(called: Target, answer: S, value: unknown): z.output<S> => {
    const result = answer.safeParse(value)
    if (result.success) return result.data
    const [first] = issuesOf(result.error, value, 'its answer')
    throw failed(called, `${first?.field} is not valid: ${first?.message}`)
  }
  const threadFor = (called: Target): Running => {
    if (closed) throw failed(called, 'Almanac is shutting down')
    if (!isLoaded) running?.drain()
    if (!running || !isLoaded)
      throw failed(called, 'it was stopped a moment ago, and is not loaded again yet')
    return running
  }

  return {
    manifest,
    callNow(called, args, answer) {
      const thread = threadFor(called)
      const id = (lastId += 1)
      let outcome: { value: unknown } | { reason: string } | undefined
      waiting.set(id, {
        answer: (value) => (outcome = { value }),
        fail: (reason) => (outcome = { reason }),
      })
      try {
        post(thread, called, {
          kind: 'call',
          id,
          target: called,
          args: [...args],
          abortable: false,
        })
        const until = performance.now() + nowMs
        while (outcome === undefined) {
          if (thread.drain()) continue
          const leftMs = until - performance.now()
          if (leftMs <= 0) kill(thread, `it did not answer within ${nowMs} ms`)
          else thread.sleep(leftMs)
        }
      } finally {
        waiting.delete(id)
      }
      if ('reason' in outcome) throw failed(called, outcome.reason)
      return parsed(called, answer, outcome.value)
    },
    async call(called, args, { answer, timeoutMs, signal }) {
      signal.throwIfAborted()
      const thread = threadFor(called)
      const id = (lastId += 1)
      thread.hold()
      let end: () => void = () => undefined
      try {
        const value = await new Promise<unknown>((resolve, reject) => {
          const late = setTimeout(() => {
            reject(failed(called, `it did not answer within ${timeoutMs} ms`))
            ping(thread)
          }, timeoutMs)
          const abort = () => {
            reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
            thread.tell({ kind: 'abort', id })
            ping(thread)
          }
          end = () => {
            clearTimeout(late)
            signal.removeEventListener('abort', abort)
          }
          signal.addEventListener('abort', abort, { once: true })
          const fail = (reason: string) => {
            reject(failed(called, reason))
          }
          waiting.set(id, { answer: resolve, fail })
          post(thread, called, {
            kind: 'call',
            id,
            target: called,
            args: [...args],
            abortable: true,
          })
        })
        return parsed(called, answer, value)
      } finally {
        end()
        waiting.delete(id)
        thread.release()
      }
    },
    async close() {
      closed = true
      const thread = running
      running = undefined
      failAll('Almanac is shutting down')
      await thread?.kill()
    },
  }

  function post(thread: Running, called: Target, order: Order): void {
    try {
      thread.tell(order)
    } catch (cause) {
      throw new Error(`${nameOf(manifest, called)} was to be given what is no data`, { cause })
    }
  }

  /** A thread that does not even answer this is in an endless loop. */
  function ping(thread: Running): void {
    if (running !== thread) return
    const id = (lastId += 1)
    thread.hold()
    const silent = setTimeout(() => {
      done()
      kill(thread, 'its thread was stopped, because a call in it did not end')
    }, pingMs)
    const done = () => {
      clearTimeout(silent)
      waiting.delete(id)
      thread.release()
    }
    waiting.set(id, { answer: done, fail: done })
    thread.tell({ kind: 'ping', id })
  }
}

function spawn(
  { module, environment, print }: ThreadOptions,
  on: { receive: (message: unknown) => void; ended: (reason: string) => void },
): Running {
  const { port1: port, port2 } = new MessageChannel()
  const bell = new SharedArrayBuffer(4)
  const rung = new Int32Array(bell)
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    name: 'plugin',
    workerData: { module, port: port2, bell },
    transferList: [port2],
    env: environment,
    execArgv: [],
    ...{ stdout: true, stderr: true },
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  })
  for (const input of [worker.stdout, worker.stderr]) createInterface({ input }).on('line', print)
  worker.on('error', (error: Error & { code?: string }) => {
    const full = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    on.ended(full ? `it used more than ${memoryMb} MB` : `its thread failed: ${error.message}`)
  })
  worker.on('exit', () => {
    on.ended('its thread ended')
  })
  port.on('message', on.receive)
  worker.unref()
  port.unref()
  let held = 0
  return {
    tell(order) {
      port.postMessage(order)
    },
    drain() {
      const received = receiveMessageOnPort(port)
      if (received) on.receive(received.message)
      return received !== undefined
    },
    sleep(ms) {
      const before = Atomics.load(rung, 0)
      const received = receiveMessageOnPort(port)
      if (received) on.receive(received.message)
      else Atomics.wait(rung, 0, before, ms)
    },
    // While somebody waits for an answer, the process must not end.
    hold() {
      if ((held += 1) === 1) port.ref()
    },
    release() {
      if ((held -= 1) === 0) port.unref()
    },
    kill() {
      port.close()
      return worker.terminate()
    },
  }
}

const singular: Record<Target['hook'], string> = {
  engines: 'engine',
  kinds: 'document kind',
  metrics: 'metric',
  judges: 'judge',
  exporters: 'exporter',
  deliverers: 'deliverer',
  variants: 'variant strategy',
  merges: 'merge strategy',
  terminations: 'termination strategy',
}

/** What people call a method: `exporter csv`, `document kind x-memo (validate)`. */
function nameOf(manifest: Manifest, { hook, index, method }: Target): string {
  const entry = manifest[hook][index]
  const name = entry && ('format' in entry ? entry.format : entry.name)
  const several = hook === 'kinds' || hook === 'engines'
  return `${singular[hook]} ${name}${several ? ` (${method})` : ''}`
}
