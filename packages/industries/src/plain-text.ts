import { decodeEntities } from './html-entities.ts'

// Control sequences are matched by their control characters throughout this file.
/* eslint-disable no-control-regex */

/**
 * Terminal codes: CSI sequences (colours, cursor), strings for the terminal (titles, links), and the
 * two-character escapes. A string without its end loses only its introducer.
 */
const terminalCode =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u0080-\u009f]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-~]?/g

const lineBreak = /\r\n?|[\u0085\u2028\u2029]/g

/** Remaining controls, the overrides of reading direction, and characters without width. */
const invisible =
  /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]/g

const suspicious =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]/

/**
 * `text` as people should read it: HTML character references decoded, terminal codes, control
 * characters, direction overrides and lone surrogates gone; line feeds stay. Markup is left as
 * text, for the renderers to escape.
 */
export function plainText(text: string): string {
  const decoded = decodeEntities(text)
  if (!suspicious.test(decoded)) return decoded
  return decoded
    .replace(terminalCode, '')
    .replace(lineBreak, '\n')
    .replace(/[\t\v\f]/g, ' ')
    .replace(invisible, '')
    .toWellFormed()
}

/** Plain text on one line: runs of white space are one space, none stands at either end. */
export function plainTitle(text: string): string {
  return plainText(text).replace(/\s+/g, ' ').trim()
}
