import { routes, type Operation } from '@almanac/domain'

const all = Object.keys(routes) as Operation[]
/** The operations of tenants, as the tests go through all of them. */
export const operations = all.filter((operation) => routes[operation].realm === 'tenant')
/** Those of operators. */
export const operatorsOperations = all.filter((operation) => !operations.includes(operation))

const suffix = '01kafz7v3be8paw2y8m4x1qd0n'

/** An id of the right form for the operation's path that names nothing. */
export const idFor = (operation: Operation): string => {
  const { path } = routes[operation]
  const [, noun = ''] = /^\/v1\/([a-z]+)\/:id/.exec(path) ?? []
  const prefixes: Record<string, string> = {
    specifications: 'spec',
    runs: 'run',
    artifacts: 'art',
    keys: 'key',
    modules: 'mod',
    versions: 'ver',
    checkpoints: 'chk',
  }
  const prefix = prefixes[noun]
  if (prefix === undefined) throw new Error(`no prefix is known for ${path}`)
  return `${prefix}_${suffix}`
}

export const takesId = (operation: Operation): boolean => routes[operation].path.includes(':id')

export const addressOf = (operation: Operation, id?: string): string =>
  routes[operation].path
    .replace(':id', id ?? (takesId(operation) ? idFor(operation) : ''))
    .replace(':other', `ver_${suffix}`)

export const methodOf = (operation: Operation): string => routes[operation].method.toUpperCase()
