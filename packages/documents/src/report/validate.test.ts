import type { Finding, RunPackage } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { industryByHash } from '../fixtures/industry.ts'
import { fixturePackage, fixtureScope } from '../fixtures/package.ts'
import { fixtureReport } from '../fixtures/report.ts'
import { createReportKind } from './report-kind.ts'
import type { ReportContent, ReportItem } from './schema.ts'

const kind = createReportKind({ industryByHash })

/** The findings of a clean report after a change to it, or to its package. */
function findingsOf(
  change: (content: ReportContent, runPackage: RunPackage) => unknown,
  runPackage = fixturePackage(),
): Finding[] {
  const content = fixtureReport(runPackage)
  change(content, runPackage)
  return kind.validate(content, runPackage)
}

const short = (findings: Finding[]) =>
  findings.map(({ code, severity, path }) => `${severity} ${code} ${path}`)

const section = (content: ReportContent, i: number) => {
  const found = content.sections[i]
  if (!found) throw new Error(`no section ${i}`)
  return found
}
const item = (content: ReportContent, s = 0, i = 0): ReportItem => {
  const found = section(content, s).items[i]
  if (!found) throw new Error(`no item ${i}`)
  return found
}
const line = (content: ReportContent, i = 0) => {
  const found = content.summary[i]
  if (!found) throw new Error(`no line ${i}`)
  return found
}
const evidence = (runPackage: RunPackage, i = 0) => {
  const found = runPackage.evidence[i]
  if (!found) throw new Error(`no evidence ${i}`)
  return found
}

describe('a clean report', () => {
  it.each([0, 1, 3, 12, 40])('has no finding, with %i items of evidence', (items) => {
    expect(findingsOf(() => undefined, fixturePackage({ items }))).toEqual([])
  })
})

describe('sections', () => {
  it('finds a missing section', () => {
    const findings = findingsOf(({ sections }) => sections.splice(1, 1))
    expect(findings).toEqual([
      {
        code: 'MISSING_SECTION',
        severity: 'error',
        path: '/sections',
        message: 'has no section for the deliverable proposed-rules',
        expected: 'final-rules, proposed-rules, comment-deadlines, corrections',
        found: 'final-rules, comment-deadlines, corrections',
      },
    ])
  })

  it('finds a section that stands twice, and a wrong order', () => {
    expect(short(findingsOf((content) => content.sections.push(section(content, 3))))).toEqual([
      'error MISSING_SECTION /sections/4',
    ])
    const [finding] = findingsOf(({ sections }) => sections.reverse())
    expect(finding).toMatchObject({
      code: 'MISSING_SECTION',
      path: '/sections',
      message: 'has corrections where final-rules belongs',
    })
  })

  it('finds a missing summary', () => {
    expect(short(findingsOf(({ summary }) => summary.splice(0)))).toEqual([
      'error MISSING_SECTION /summary',
    ])
  })

  it('finds quiet that is not justified, and noise that is not there', () => {
    const emptied = findingsOf((content) =>
      Object.assign(section(content, 0), { quiet: true, items: [] }),
    )
    expect(emptied[0]).toMatchObject({
      code: 'UNJUSTIFIED_QUIET',
      path: '/sections/0/quiet',
      message: 'Final rules is called quiet, but the package has evidence',
      found: '8 matching items of evidence',
    })
    expect(short(findingsOf((content) => (section(content, 0).quiet = true)))).toEqual([
      'error UNJUSTIFIED_QUIET /sections/0/quiet',
    ])
    expect(short(findingsOf((content) => (section(content, 3).quiet = false)))).toEqual([
      'error UNJUSTIFIED_QUIET /sections/3/items',
    ])
    expect(short(findingsOf((content) => section(content, 0).items.splice(0)))).toEqual([
      'error UNJUSTIFIED_QUIET /sections/0/items',
    ])
  })
})

describe('keys and citations', () => {
  it('finds keys outside the scope', () => {
    const findings = findingsOf((content) => {
      item(content).region = 'alaska'
      item(content, 0, 1).link = 'no-such-link'
      section(content, 3).deliverable = 'rumours'
    })
    expect(short(findings)).toEqual([
      'error MISSING_SECTION /sections',
      'error OUT_OF_SCOPE_KEY /sections/0/items/0/region',
      'error OUT_OF_SCOPE_KEY /sections/0/items/1/link',
      'error OUT_OF_SCOPE_KEY /sections/3/deliverable',
    ])
    expect(findings[1]).toMatchObject({
      message: '"alaska" is no region of this run',
      expected: 'national, california, texas, ohio, oregon',
      found: 'alaska',
    })
  })

  it('finds citations of what is not in the package', () => {
    const findings = findingsOf((content) => item(content).evidence.push('register/none'))
    expect(findings).toMatchObject([
      {
        code: 'UNKNOWN_CITATION',
        severity: 'error',
        path: '/sections/0/items/0/evidence/1',
        message: 'cites "register/none", which is not in the package',
      },
    ])
  })

  it('finds statements that cite nothing, in a package with evidence', () => {
    const findings = findingsOf((content) => {
      item(content, 0, 7).evidence = []
      line(content).evidence = []
    })
    expect(short(findings).filter((found) => found.includes('MISSING_CITATION'))).toEqual([
      'error MISSING_CITATION /summary/0/evidence',
      'error MISSING_CITATION /sections/0/items/7/evidence',
    ])
  })

  it('finds an item in a cell that its evidence was not matched to', () => {
    const findings = findingsOf((content) => (item(content).region = 'ohio'))
    expect(findings).toMatchObject([
      {
        code: 'UNMATCHED_CELL',
        severity: 'error',
        path: '/sections/0/items/0',
        expected: 'final-rules/national/aviation',
        found: 'final-rules/ohio/aviation',
      },
    ])
  })

  it('warns of a fact that also cites from outside its cell, and of a reading from outside its deliverable', () => {
    const fromElsewhere = (content: ReportContent) => item(content, 1).evidence
    const fact = findingsOf((content) =>
      item(content).evidence.push(...item(content, 0, 1).evidence),
    )
    expect(short(fact)).toEqual(['warning UNMATCHED_CELL /sections/0/items/0'])
    const isReading = (found: ReportItem) => found.kind === 'interpretation'
    const reading = findingsOf((content) =>
      section(content, 0)
        .items.find(isReading)
        ?.evidence.push(...fromElsewhere(content)),
    )
    expect(short(reading)).toEqual(['warning UNMATCHED_CELL /sections/0/items/8'])
  })
})

describe('grounding', () => {
  const say = (text: string) => (content: ReportContent) => (item(content).text = text)

  it.each([
    'The docket is FAA-2022-1000, published on 7 March 2022.',
    'It was published on March 7, 2022, with a limit of 1,200 units.',
    'It concerns 12% of operators.',
  ])('takes what the cited item has: %s', (text) => {
    expect(findingsOf(say(text))).toEqual([])
  })

  it.each([
    ['The limit is 1,201 units.', '1,201'],
    ['The docket is EPA-2022-1037.', 'EPA-2022-1037'],
    ['It was published on 8 March 2022.', '8 March 2022'],
    ['It concerns 13 percent of operators.', '13'],
    ['It is one of 12 documents of the package, of 53 in all.', '53'],
  ])('finds what it has not: %s', (text, found) => {
    const findings = findingsOf(say(text))
    expect(findings).toMatchObject([
      { code: 'UNGROUNDED', severity: 'error', path: '/sections/0/items/0/text', found },
    ])
  })

  it('warns of it in interpretations and implications', () => {
    const findings = findingsOf((content) => {
      item(content, 0, 8).text = 'The limits suggest a trend of 97 units.'
      item(content, 0, 9).text = 'If so, 97 operators could follow.'
    })
    expect(short(findings)).toEqual([
      'warning UNGROUNDED /sections/0/items/8/text',
      'warning UNGROUNDED /sections/0/items/9/text',
    ])
  })

  it('lets the summary and interpretations count the package, and nothing else', () => {
    const count = (text: string) => (content: ReportContent) => {
      line(content).text = text
      item(content, 0, 8).text = text
    }
    expect(findingsOf(count('Of 53 items considered, 12 qualified and 41 did not.'))).toEqual([])
    expect(findingsOf(count('Final rules had 8 items, 3 of them with deadlines.'))).toEqual([])
    expect(findingsOf(count('In 2022-W10, from 7 to 13 March 2022, 1 of 4 was quiet.'))).toEqual([])
    expect(short(findingsOf(count('This report has 17 items.')))).toEqual([
      'error UNGROUNDED /summary/0/text',
      'warning UNGROUNDED /sections/0/items/8/text',
    ])
    const implication = findingsOf(
      (content) => (item(content, 0, 9).text = 'If so, 12 could follow 41.'),
    )
    expect(implication).toMatchObject([{ code: 'UNGROUNDED', found: '41' }])
  })

  it('reads instants of attributes on the clock of the specification', () => {
    const deadline = (text: string) => (content: ReportContent) => (item(content, 2).text = text)
    expect(findingsOf(deadline('Comments close on 9 May 2022.'))).toEqual([])
    expect(findingsOf(deadline('Comments close on 11 May 2022.'))).toHaveLength(1)
  })
})

describe('wording', () => {
  it('finds names of what the run does not cover', () => {
    const findings = findingsOf((content) => {
      item(content).text = 'This also concerns Alaska.'
      line(content, 1).text = 'A coal mine in Puerto Rico was mentioned.'
    })
    expect(short(findings)).toEqual([
      'error OUT_OF_SCOPE_TEXT /summary/1/text',
      'error OUT_OF_SCOPE_TEXT /summary/1/text',
      'error OUT_OF_SCOPE_TEXT /sections/0/items/0/text',
    ])
    expect(findings[2]).toMatchObject({
      message: 'names "Alaska" of the region alaska, which this run does not cover',
    })
  })

  it('takes names from the title of a cited item, and warns of those from its text', () => {
    const quoting = (change: (runPackage: RunPackage) => void) =>
      findingsOf((content, runPackage) => {
        item(content).text = 'This also concerns Alaska.'
        change(runPackage)
      })
    expect(quoting((runPackage) => (evidence(runPackage).title += ' of Alaska'))).toEqual([])
    const fromText = quoting((runPackage) => (evidence(runPackage).text += ' So does Alaska.'))
    const fromElsewhere = quoting((runPackage) => (evidence(runPackage, 1).title += ' of Alaska'))
    expect(short(fromText)).toEqual(['warning OUT_OF_SCOPE_TEXT /sections/0/items/0/text'])
    expect(short(fromElsewhere)).toContain('error OUT_OF_SCOPE_TEXT /sections/0/items/0/text')
  })

  it('holds a narrowed run to its narrower scope', () => {
    const narrow = fixturePackage({ scope: { ...fixtureScope, regions: ['national', 'texas'] } })
    narrow.evidence = narrow.evidence.flatMap((one) => {
      const matches = one.matches.filter(({ region }) => ['national', 'texas'].includes(region))
      return matches.length > 0 ? [{ ...one, matches }] : []
    })
    const findings = findingsOf((content) => (line(content).text = 'California was busy.'), narrow)
    expect(short(findings)).toEqual(['error OUT_OF_SCOPE_TEXT /summary/0/text'])
  })

  it('needs the catalogue that the package names', () => {
    const blind = createReportKind({ industryByHash: () => undefined })
    const runPackage = fixturePackage()
    expect(() => blind.validate(fixtureReport(runPackage), runPackage)).toThrow(
      'There is no catalogue harbours 1.0.0 here.',
    )
  })

  it.each([
    ['red \u001b[mtext', 'error', 'U+001B'],
    ['evil \u202etxt.exe', 'error', 'U+202E'],
    ['hidden \u{e0041}', 'error', 'U+E0041'],
    ['soft\u00adhyphen', 'warning', 'U+00AD'],
    ['<script>alert(1)</script>', 'warning', '<script>alert(1)</script>'],
    ['</b>', 'warning', '</b>'],
    ['![x](http://x.example)', 'warning', '![x](http://x.example)'],
    ['see javascript:alert(1)', 'warning', 'javascript:alert(1)'],
    ['a &lt;b&gt;', 'warning', '&lt;b&gt;'],
  ])('finds unsafe text in %j', (text, severity, found) => {
    expect(findingsOf((content) => (item(content, 0, 8).text = text))).toMatchObject([
      { code: 'UNSAFE_TEXT', severity, path: '/sections/0/items/8/text', found },
    ])
  })

  it.each([
    'a < b and c > d',
    'a [list](of things)',
    'data: as given',
    'R&D & more',
    'mañana – “quoted”',
    'שלום',
  ])('takes plain text such as %j', (text) => {
    expect(findingsOf((content) => (item(content, 0, 8).text = text))).toEqual([])
  })
})

describe('size', () => {
  it('finds too many items, lines, characters and citations', () => {
    const findings = findingsOf((content, runPackage) => {
      runPackage.limits.maxItemsPerSection = 9
      runPackage.limits.maxSummaryLines = 1
      item(content, 0, 8).text = 'word '.repeat(141)
      line(content).text = 'word '.repeat(101)
      line(content, 1).evidence = Array.from({ length: 21 }, (_, i) => `none/${i}`)
    }).filter(({ code }) => code === 'TOO_LONG')
    expect(findings.map(({ path, message, expected }) => [path, message, expected])).toEqual([
      ['/summary', 'has 2 lines, 1 too many', 'at most 1'],
      ['/sections/0/items', 'has 10 items, 1 too many', 'at most 9'],
      ['/summary/0/text', 'has 505 characters, 5 too many', 'at most 500'],
      ['/summary/1/evidence', 'has 21 citations, 1 too many', 'at most 20'],
      ['/sections/0/items/8/text', 'has 705 characters, 5 too many', 'at most 700'],
    ])
  })

  it('allows one line for a period without evidence, which cites nothing', () => {
    const quiet = fixturePackage({ items: 0 })
    const padded = findingsOf(
      ({ summary }) => summary.push({ text: 'Nothing more to say.', evidence: [] }),
      quiet,
    )
    expect(padded).toMatchObject([
      { code: 'TOO_LONG', message: 'has 2 lines for a period without evidence, 1 too many' },
    ])
  })

  it('finds what is said twice, whatever the case and punctuation', () => {
    const repeated = findingsOf((content) => {
      const first = item(content)
      section(content, 0).items.push({
        ...first,
        id: 'i000000000000',
        text: first.text.toUpperCase(),
      })
      content.summary.push({ ...line(content, 1), text: `${line(content, 1).text}!` })
    })
    expect(short(repeated)).toEqual([
      'error DUPLICATE_ITEM /summary/2',
      'error DUPLICATE_ITEM /sections/0/items/10',
    ])
  })

  it('warns of the same text with other evidence, and of a citation that stands twice', () => {
    const findings = findingsOf((content) => {
      item(content, 0, 1).text = item(content).text = 'The agency published a rule.'
      item(content, 0, 2).evidence.push(...item(content, 0, 2).evidence)
    })
    expect(short(findings)).toEqual([
      'warning DUPLICATE_ITEM /sections/0/items/1',
      'warning DUPLICATE_ITEM /sections/0/items/2/evidence',
    ])
  })

  it('lets two deliverables say the same of one item', () => {
    const findings = findingsOf((content) => {
      const shared = item(content, 2).evidence[0]
      const twin = content.sections
        .flatMap(({ items }) => items)
        .find(({ evidence: [id] }) => id === shared)
      item(content, 2).text = twin?.text ?? ''
    })
    expect(findings).toEqual([])
  })
})
