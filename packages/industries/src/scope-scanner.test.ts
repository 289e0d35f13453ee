import type { Scope } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { polyurethane } from './polyurethane/index.ts'
import { createScopeScanner } from './scope-scanner.ts'
import { usRegulation } from './us-regulation/index.ts'

const regulation = (scope: Partial<Scope> = {}) =>
  createScopeScanner(usRegulation, {
    deliverables: ['final-rules'],
    regions: ['california', 'virginia', 'national'],
    links: ['aviation'],
    ...scope,
  })

const observatory = (scope: Partial<Scope> = {}) =>
  createScopeScanner(polyurethane, {
    deliverables: ['prices-and-feedstocks'],
    regions: ['china'],
    links: ['mdi'],
    ...scope,
  })

describe('createScopeScanner', () => {
  it('finds regions and links outside the scope, once each, in the text’s order', () => {
    const text = 'In Oregon and OREGON, fisheries off California reach Guam.'
    expect(regulation().scan(text)).toEqual([
      { axis: 'regions', key: 'oregon', term: 'Oregon' },
      { axis: 'links', key: 'maritime-and-fisheries', term: 'fisheries' },
      { axis: 'regions', key: 'guam', term: 'Guam' },
    ])
  })

  it('finds postal codes of addresses', () => {
    expect(regulation().scan('Airspace over Bend, OR; Napa, CA')).toEqual([
      { axis: 'regions', key: 'oregon', term: 'OR' },
    ])
  })

  it('is silent on text inside the scope', () => {
    expect(regulation().scan('Airworthiness of Virginia’s aircraft, and Napa, CA')).toEqual([])
  })

  it('does not take a longer name for the shorter one in it', () => {
    expect(regulation().scan('West Virginia')).toEqual([
      { axis: 'regions', key: 'west-virginia', term: 'West Virginia' },
    ])
    expect(regulation({ regions: ['west-virginia'] }).scan('West Virginia')).toEqual([])
    expect(regulation().scan('the Ohio River, Lake Michigan, Kansas City, Missouri')).toEqual([
      { axis: 'regions', key: 'missouri', term: 'Missouri' },
    ])
  })

  it('never finds hints, attributes, or fallbacks', () => {
    expect(
      regulation({ regions: ['california'] }).scan('A national correction of drugs, tax, other'),
    ).toEqual([])
  })

  it('finds no term of an entry within one of the scope, nor of one around it', () => {
    expect(observatory().scan('Chinese MDI: isocyanates for polyurethanes in Asia')).toEqual([])
    expect(observatory({ regions: ['apac'] }).scan('Shanghai, Seoul, Japan')).toEqual([])
  })

  it('finds the neighbours of an entry of the scope', () => {
    expect(observatory().scan('TDI prices in India and Europe')).toEqual([
      { axis: 'links', key: 'tdi', term: 'TDI' },
      { axis: 'regions', key: 'india', term: 'India' },
      { axis: 'regions', key: 'europe', term: 'Europe' },
    ])
  })

  it('does not find a term that a phrase of the scope holds', () => {
    const scanner = observatory({ links: ['rigid-foam'] })
    expect(scanner.scan('polyurethane systems')).toEqual([
      { axis: 'links', key: 'systems-houses', term: 'polyurethane systems' },
    ])
    expect(observatory({ links: ['systems-houses'] }).scan('polyurethane systems')).toEqual([])
    expect(
      observatory({ deliverables: ['sustainability-and-recycling'] }).scan('recycled polyols'),
    ).toEqual([])
    expect(observatory().scan('recycled polyols')).toEqual([
      {
        axis: 'deliverables',
        key: 'sustainability-and-recycling',
        term: 'recycled polyols',
      },
      { axis: 'links', key: 'polyols', term: 'polyols' },
    ])
  })
})
