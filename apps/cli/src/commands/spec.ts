import { parse, specification } from '@almanac/domain'
import type { Client } from '@almanac/client'
import { findSpecification } from '../find-specification.ts'
import { readJson } from '../read-file.ts'
import { table, type Screen } from '../screen.ts'

/**
 * `almanac spec apply FILE`: creates the specification, or, when one has the file's externalId,
 * revises that one; a file that says what is there already changes nothing.
 */
export async function applySpecification(
  client: Client,
  screen: Screen,
  file: string,
): Promise<void> {
  const body = parse(specification, readJson(file))
  const existing = body.externalId
    ? (await client.listSpecifications({ query: { externalId: body.externalId } })).data[0]
    : undefined
  if (existing && JSON.stringify(existing.body) === JSON.stringify(body)) {
    screen.say(`${existing.id} "${body.name}" is unchanged at revision ${existing.revision}.`)
    screen.result(existing)
    return
  }
  const applied = existing
    ? await client.changeSpecification({
        params: { id: existing.id },
        ifMatch: existing.revision,
        body: patchFrom(existing.body, body),
      })
    : await client.createSpecification({ body })
  screen.say(
    `${applied.id} "${applied.body.name}" is at revision ${applied.revision}, ${applied.state}.`,
  )
  if (applied.state === 'draft') screen.say(`Next: almanac spec activate ${applied.id}`)
  screen.result(applied)
}

/** A merge patch from one body to another: null for what went away. */
function patchFrom(from: object, to: object): Record<string, never> {
  const gone = Object.keys(from).filter((key) => !(key in to))
  return { ...to, ...Object.fromEntries(gone.map((key) => [key, null])) } as Record<string, never>
}

export async function activateSpecification(
  client: Client,
  screen: Screen,
  text: string,
): Promise<void> {
  const { id } = await findSpecification(client, text)
  const active = await client.activateSpecification({ params: { id } })
  const next = active.nextDueAt ? `; it runs by itself at ${active.nextDueAt}` : ''
  screen.say(`${active.id} "${active.body.name}" is active${next}.`)
  screen.result(active)
}

export async function listSpecifications(client: Client, screen: Screen): Promise<void> {
  const { data } = await client.listSpecifications({ query: { limit: 100 } })
  if (data.length === 0) screen.say('No specifications yet: almanac spec apply FILE makes one.')
  else
    screen.say(
      table([
        ['ID', 'NAME', 'STATE', 'REVISION', 'CADENCE', 'NEXT'],
        ...data.map(({ id, body, state, revision, nextDueAt }) => [
          id,
          body.name,
          state,
          String(revision),
          body.cadence,
          nextDueAt ?? '–',
        ]),
      ]),
    )
  screen.result(data)
}
