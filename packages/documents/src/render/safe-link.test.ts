import { describe, expect, it } from 'vitest'
import { safeLink } from './safe-link.ts'

describe('safeLink', () => {
  it.each([
    ...[
      'javascript:alert(1)',
      ' JaVaScRiPt:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'ftp://e.example',
    ],
    ...[
      '//e.example',
      '/path',
      'e.example',
      '',
      'http://',
      'mailto:a@b.example',
      'blob:https://e.example/x',
    ],
    undefined,
  ])('refuses %j', (address) => {
    expect(safeLink(address)).toBeUndefined()
  })

  it.each([
    ['https://www.e.example/a b"<>', 'https://www.e.example/a%20b%22%3C%3E', 'e.example'],
    ['HTTP://E.example:80/x', 'http://e.example/x', 'e.example'],
    ['https://google.com@e.example/', 'https://e.example/', 'e.example'],
    ['https://e.example/?q=\\x', 'https://e.example/?q=%5Cx', 'e.example'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/', 'xn--bcher-kva.example'],
  ])('takes %j', (address, href, host) => {
    expect(safeLink(address)).toMatchObject({ href, host })
  })

  it('knows one page by several addresses', () => {
    const pages = ['http://e.example/a', 'https://e.example/a/', 'https://e.example/a#b']
    expect(new Set(pages.map((address) => safeLink(address)?.page))).toEqual(
      new Set(['e.example/a']),
    )
    expect(safeLink('https://e.example/a?x')?.page).toBe('e.example/a?x')
  })
})
