import { TypeID } from 'typeid-js'
import { v5, v7 } from 'uuid'
import { idPrefixes, type Id, type Noun } from './ids.ts'

/** A new TypeID for `noun`; sorts by the instant `at` (milliseconds since 1970, default now). */
export function newId<N extends Noun>(noun: N, at: number = Date.now()): Id<N> {
  return TypeID.fromUUID(idPrefixes[noun], v7({ msecs: at })).toString() as Id<N>
}

/** The lowest TypeID that an instant can have: the bound between two partitions. */
export function lowestId<N extends Noun>(noun: N, at: Date): Id<N> {
  const hex = at.getTime().toString(16).padStart(12, '0')
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
  return TypeID.fromUUID(idPrefixes[noun], uuid).toString() as Id<N>
}

/** The TypeID that follows from a name alone: equal names, equal ids, in every process. */
export function derivedId<N extends Noun>(noun: N, name: string): Id<N> {
  return TypeID.fromUUID(idPrefixes[noun], v5(name, namespace)).toString() as Id<N>
}

const namespace = 'a0c1f7ce-6f0e-5c2b-9d3a-2f6c4d1b8e70'
