import { z } from 'zod'

/** An amount of money in integer micro-USD: 1 000 000 is one dollar. */
export const microUsd = z.int({ error: 'must be a whole number of micro-USD' }).min(0)
