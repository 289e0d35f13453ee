import { seededHex, type SeededNumbers } from '../seeded.ts'
import { words } from '../composing/prose.ts'

const two = (numbers: SeededNumbers, from: number, to: number) =>
  String(numbers.integer(from, to)).padStart(2, '0')

const day = (numbers: SeededNumbers) =>
  `${numbers.integer(2020, 2026)}-${two(numbers, 1, 12)}-${two(numbers, 1, 28)}`

const time = (numbers: SeededNumbers) =>
  `${two(numbers, 0, 23)}:${two(numbers, 0, 59)}:${two(numbers, 0, 59)}`

const name = (numbers: SeededNumbers) => words(numbers, 1).toLowerCase()

function uuid(numbers: SeededNumbers): string {
  const hex = seededHex(32, String(numbers.next()))
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}

const formats: Record<string, (numbers: SeededNumbers) => string> = {
  'date-time': (numbers) => `${day(numbers)}T${time(numbers)}Z`,
  date: day,
  time,
  duration: (numbers) => `P${numbers.integer(1, 30)}D`,
  email: (numbers) => `${name(numbers)}@example.com`,
  hostname: (numbers) => `${name(numbers)}.example.com`,
  uri: (numbers) => `https://example.com/${name(numbers)}`,
  ipv4: (numbers) => `192.0.2.${numbers.integer(1, 254)}`,
  ipv6: (numbers) => `2001:db8::${numbers.integer(1, 254).toString(16)}`,
  uuid,
}

/** A text of one of the formats that structured output knows; undefined for any other format. */
export const formatted = (format: string, numbers: SeededNumbers): string | undefined =>
  Object.hasOwn(formats, format) ? formats[format]?.(numbers) : undefined
