// Control characters are matched by themselves throughout this file.
/* eslint-disable no-control-regex */

/**
 * What people cannot see but programs obey: controls, separators of lines, overrides of the reading
 * direction, characters without width, tags, and halves of characters.
 */
const unseen =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u200b\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]|\udb40[\udc00-\udc7f]/

const spacing = /[\t\n\v\f\r\u0085\u2028\u2029]+/g

const invisible =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u200b\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu

/** `text` on one line, as every format shows it: nothing in it is unseen. */
export function visibleText(text: string): string {
  if (!unseen.test(text)) return text
  return text.replace(spacing, ' ').replace(invisible, '').toWellFormed()
}
