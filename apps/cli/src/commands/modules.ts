import type { Client } from '@almanac/client'
import {
  AlmanacError,
  moduleDefinition,
  moduleId,
  parse,
  type ModuleResource,
  type PhaseKind,
} from '@almanac/domain'
import { readJson } from '../read-file.ts'
import { table, type Screen } from '../screen.ts'

/** `almanac modules list`: every registered module, of one phase where that is asked. */
export async function listModules(
  client: Client,
  screen: Screen,
  { phase }: { phase?: PhaseKind },
): Promise<void> {
  const modules: ModuleResource[] = []
  for (let cursor: string | undefined; ;) {
    const page = await client.listModules({
      query: { limit: 100, ...(phase ? { phase } : {}), ...(cursor ? { cursor } : {}) },
    })
    modules.push(...page.data)
    if (!page.nextCursor) break
    cursor = page.nextCursor
  }
  if (modules.length === 0) screen.say('No modules yet: almanac modules add FILE registers one.')
  else
    screen.say(
      table([
        ['KEY', 'PHASE', 'NAME', 'GIVES', 'ID'],
        ...modules.map(({ id, key, phase: kind, name, outputs }) => [
          ...[key, kind, name],
          outputs.join('; '),
          id,
        ]),
      ]),
    )
  screen.result(modules)
}

/** `almanac modules add FILE`: registers the module that a JSON file describes. */
export async function addModule(client: Client, screen: Screen, file: string): Promise<void> {
  const added = await client.registerModule({ body: parse(moduleDefinition, readJson(file)) })
  screen.say(`${added.id} "${added.name}" is registered as ${added.key}.`)
  screen.say(`Next: name "${added.key}" in the modules of a workflow specification.`)
  screen.result(added)
}

/** `almanac modules remove MODULE`, by key or id. Throws NOT_FOUND, MODULE_IN_USE. */
export async function removeModule(client: Client, screen: Screen, text: string): Promise<void> {
  const id = moduleId.safeParse(text)
  const found = id.success ? { id: id.data } : await findModule(client, text)
  const removed = await client.removeModule({ params: { id: found.id } })
  screen.say(`${removed.key} "${removed.name}" is removed; documents that used it keep their copy.`)
  screen.result(removed)
}

async function findModule(client: Client, key: string): Promise<ModuleResource> {
  const [found] = (await client.listModules({ query: { key } })).data
  if (!found) throw new AlmanacError('NOT_FOUND', { what: `module "${key}"` })
  return found
}
