import type { Move } from './material.ts'
import { mapTexts } from './texts.ts'

// eslint-disable-next-line no-control-regex
const unseen = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|\udb40[\udc00-\udc7f]/g
const withoutWidth = /[\u00ad\u200b\u2060-\u2065\ufeff]/g

/** Texts without characters that nobody sees, and without markup and links: their words stay. */
export const withInertTexts: Move = (workflow) =>
  mapTexts(workflow, (text) => {
    const plain = text
      .replace(unseen, ' ')
      .replace(withoutWidth, '')
      .replace(/!?\[([^\]]*)\]\([^)]*\)?/g, '$1')
      .replace(/<[^<>]*>/g, ' ')
      .replace(/&(?:#\d+|#x[0-9a-f]+|lt|gt);/gi, ' ')
      .replace(/[<>]/g, ' ')
      .replace(/\b(javascript|vbscript|data)\s*:/gi, '$1 ')
      .replace(/\s+/g, ' ')
      .trim()
    return plain === '' ? text : plain
  })
