import type { Id, Noun } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'

/** The machine's clock, as the `Clock` port. */
export const systemClock = {
  now: (): Date => new Date(),
}

/** Fresh TypeIDs of this instant, as the `Ids` port. */
export const randomIds = {
  next: <N extends Noun>(noun: N): Id<N> => newId(noun),
}
