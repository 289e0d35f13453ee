import { expect, test } from 'vitest'
import { samplePackage } from '../testing/run-package.ts'
import { findRunPackage } from './run-package.ts'

const text = JSON.stringify(samplePackage())
const found = (input: string) => findRunPackage(input)?.evidence.map(({ id }) => id)
const ids = ['register/2022-04711', 'register/2022-04712', 'register/2022-04713']

test.each([
  ['alone', text],
  ['after prose with braces', `{ not JSON } and { never closed ${text}`],
  ['after another object', `{"a":{"b":"}"}} ${text} {"packageVersion":0}`],
  ['inside another object', `{"data":[1,{"package":${text}}]}`],
  ['after something that only mentions it', `{"note":"packageVersion"} ${text}`],
  ['after an object that is no package', `{"packageVersion":"none"} ${text}`],
])('finds the package %s', (_, input) => {
  expect(found(input)).toEqual(ids)
})

test('finds the first of two', () => {
  const other = JSON.stringify(samplePackage([]))
  expect(found(`${other}\n${text}`)).toEqual([])
})

test.each([
  ['no JSON', 'nothing here'],
  ['a package that was cut off', text.slice(0, -10)],
  ['a package inside a text', JSON.stringify({ quoted: text })],
  ['nothing but braces', `${'{'.repeat(50_000)} "packageVersion" ${'}'.repeat(10)}`],
])('finds none in %s', (_, input) => {
  expect(found(input)).toBeUndefined()
})
