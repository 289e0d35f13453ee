import { canonicalJson, packageText } from '@almanac/domain'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fixturePackage } from './fixtures/package.ts'

it('is the canonical JSON of the package, whatever the order of its keys', () => {
  const entries = Object.entries(fixturePackage())
  fc.assert(
    fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
      const runPackage = Object.fromEntries(shuffled) as ReturnType<typeof fixturePackage>
      expect(packageText(runPackage)).toBe(canonicalJson(fixturePackage()))
    }),
  )
})

it('leaves out what a package does not have', () => {
  const runPackage = { ...fixturePackage(), previousArtifactHash: undefined }
  expect(packageText(runPackage as never)).toBe(canonicalJson(runPackage))
})
