import { checkPlugin, manifestOf, type Plugin } from '@almanac/plugin-api'
import { MessagePort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { order, type Order, type Reply, type Target } from './messages.ts'

/**
 * The thread of one plugin: loads its module, says what it registers or why it cannot, then calls its
 * hooks as it is told. After each message it rings the bell, on which a caller may sleep.
 */
const { module, port, bell } = z
  .object({
    module: z.string(),
    port: z.instanceof(MessagePort),
    bell: z.instanceof(SharedArrayBuffer).transform((buffer) => new Int32Array(buffer)),
  })
  .parse(workerData)

function tell(reply: Reply): void {
  port.postMessage(reply)
  Atomics.add(bell, 0, 1)
  Atomics.notify(bell, 0)
}

const reasonOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n', 1)[0]?.slice(0, 300) ?? ''
}

const plugin = await load()
if (plugin) {
  const aborts = new Map<number, AbortController>()
  port.on('message', (message: unknown) => {
    void obey(plugin, order.parse(message), aborts)
  })
  tell({ kind: 'ready', manifest: manifestOf(plugin) })
}

async function load(): Promise<Plugin | undefined> {
  try {
    const loaded: unknown = await import(module)
    const found =
      typeof loaded === 'object' && loaded && 'default' in loaded ? loaded.default : null
    const checked = checkPlugin(found)
    if (checked.ok) return checked.plugin
    tell({ kind: 'refused', reason: checked.reason })
  } catch (error) {
    tell({ kind: 'refused', reason: `it cannot be loaded: ${reasonOf(error)}` })
  }
  return undefined
}

async function obey(
  plugin: Plugin,
  told: Order,
  aborts: Map<number, AbortController>,
): Promise<void> {
  const { id } = told
  if (told.kind === 'ping') return tell({ kind: 'answered', id, value: null })
  if (told.kind === 'abort') return aborts.get(id)?.abort()
  try {
    const abort = new AbortController()
    if (told.abortable) aborts.set(id, abort)
    const args = told.abortable ? [...told.args, abort.signal] : told.args
    // A value that is no data (a function, a proxy) cannot be told: posting it throws.
    tell({ kind: 'answered', id, value: await call(plugin, told.target, args) })
  } catch (error) {
    tell({ kind: 'threw', id, reason: reasonOf(error) })
  } finally {
    aborts.delete(id)
  }
}

function call(plugin: Plugin, { hook, index, method }: Target, args: unknown[]): unknown {
  let owner: unknown = plugin.hooks[hook]?.[index]
  const names = method.split('.')
  const last = names.pop() ?? ''
  for (const name of names) owner = member(owner, name)
  const found = member(owner, last)
  if (typeof found !== 'function') throw new Error(`there is no ${method}`)
  return Reflect.apply(found, owner, args)
}

const member = (owner: unknown, name: string): unknown =>
  typeof owner === 'object' && owner !== null ? Reflect.get(owner, name) : undefined
