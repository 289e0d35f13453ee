import type { RunPackage } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { fixturePackage, fixtureScope } from '../../fixtures/package.ts'
import { renderInput } from '../../fixtures/report.ts'
import { coverageMatrix } from './matrix.ts'
import { reportView } from './view.ts'

const matrixOf = (runPackage: RunPackage) =>
  coverageMatrix(reportView(renderInput(runPackage)), runPackage)

/** The fixture's package, ordered for `count` more regions, in which nothing happened. */
function manyRegions(count: number): RunPackage {
  const more = Array.from({ length: count }, (_, i) => `county-${i + 1}`)
  const runPackage = fixturePackage({ items: 12 })
  const regions = [...fixtureScope.regions, ...more]
  const { body } = runPackage.specification
  if (body.kind === 'report') body.regions = regions
  return { ...runPackage, scope: { ...fixtureScope, regions } }
}

describe('the coverage matrix', () => {
  it('has the deliverables and regions of the specification, in its order, with sums', () => {
    const matrix = matrixOf(fixturePackage({ items: 12 }))
    expect(matrix.rowAxis).toBe('Deliverable')
    expect(matrix.columns.map(({ label }) => label)).toEqual([
      ...['National', 'California', 'Texas', 'Ohio', 'Oregon'],
    ])
    expect(matrix.rows.map(({ label, tag, total }) => [label, tag, total])).toEqual([
      ['Final rules', undefined, 10],
      ['Proposed rules', undefined, 6],
      ['Comment deadlines', undefined, 5],
      ['Corrections', 'quiet', 0],
    ])
    for (const [r, row] of matrix.rows.entries())
      expect(matrix.cells[r]?.reduce((sum: number, cell) => sum + (cell ?? 0), 0)).toBe(row.total)
    expect(matrix.columns.reduce((sum, { total }) => sum + (total ?? 0), 0)).toBe(matrix.total)
    expect(matrix.folded).toEqual([])
  })

  it('tells "not selected" from 0', () => {
    const scope = {
      ...fixtureScope,
      deliverables: ['final-rules', 'corrections'],
      regions: ['national', 'texas'],
    }
    const matrix = matrixOf(fixturePackage({ items: 0, scope }))
    expect(matrix.cells).toEqual([
      [0, null, 0, null, null],
      [null, null, null, null, null],
      [null, null, null, null, null],
      [0, null, 0, null, null],
    ])
    expect(matrix.rows.map(({ tag }) => tag)).toEqual([
      ...['quiet', 'not selected', 'not selected', 'quiet'],
    ])
    expect(matrix.rows.map(({ total }) => total)).toEqual([0, null, null, 0])
  })

  it('folds regions without items when there are many, and names them', () => {
    const matrix = matrixOf(manyRegions(40))
    expect(matrix.columns.map(({ label }) => label)).toEqual([
      ...['National', 'California', 'Texas', 'Ohio', 'Oregon', '40 others'],
    ])
    expect(matrix.folded).toHaveLength(1)
    expect(matrix.folded[0]?.names.slice(0, 2)).toEqual(['County 1', 'County 2'])
  })

  it('turns when the regions would be too wide for a page', () => {
    const wide = manyRegions(4)
    const names = ['county-1', 'county-2', 'county-3', 'county-4']
    wide.evidence.forEach((item, i) => {
      const region = names[i]
      if (region) item.matches = item.matches.map((match) => ({ ...match, region }))
    })
    const matrix = matrixOf(wide)
    expect(matrix.rowAxis).toBe('Region')
    expect(matrix.rows).toHaveLength(9)
    expect(matrix.columns.map(({ section }) => section)).toEqual(fixtureScope.deliverables)
    expect(matrix.cells.map((row) => row.length)).toEqual(Array(9).fill(4))
    const sum = matrix.cells.flat().reduce((all: number, cell) => all + (cell ?? 0), 0)
    expect(sum).toBe(matrix.total)
  })
})
