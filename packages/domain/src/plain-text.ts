import { z } from 'zod'

// C0 and C1 controls (terminal codes begin with one), line and paragraph separators, and the
// bidirectional overrides that make a text read otherwise than it is stored.
// eslint-disable-next-line no-control-regex
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

/** One line of plain text of at most `max` characters, trimmed, not blank, without control characters. */
export const plainLine = (max: number) =>
  z
    .string()
    .trim()
    .min(1, { error: 'must not be blank' })
    .max(max)
    .refine((text) => !unsafe.test(text) && text.isWellFormed(), {
      error: 'must be one line of plain text, without control characters',
    })

/** True when Postgres and JSON can hold the text: no NUL, no lone surrogate. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\u0000')
