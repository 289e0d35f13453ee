import type { Json } from '@almanac/domain'
import { prose, words } from '../composing/prose.ts'
import type { SeededNumbers } from '../seeded.ts'
import { depthOf } from './depth.ts'
import { fitsNumber, fitsString } from './fits.ts'
import { formatted } from './format.ts'
import {
  resolved,
  SchemaError,
  type ArrayNode,
  type NumberNode,
  type ObjectNode,
  type SchemaNode,
  type StringNode,
} from './node.ts'
import { patternWriter } from './pattern.ts'

/** Values go no deeper than this, unless the schema leaves no choice. */
const usualDepth = 8

/**
 * A value that fits the schema, made of `numbers` alone. Throws SchemaError where it cannot make one:
 * patterns that it cannot write, bounds that exclude each other.
 */
export function generate(schema: SchemaNode, numbers: SeededNumbers): Json {
  return valueOf(schema, numbers, Math.max(usualDepth, depthOf(schema)))
}

/** `room` is how deep the value may still go. */
function valueOf(schema: SchemaNode, numbers: SeededNumbers, room: number): Json {
  const node = resolved(schema)
  switch (node.kind) {
    case 'anything':
      return words(numbers, 3)
    case 'null':
      return null
    case 'boolean':
      return numbers.next() < 0.5
    case 'constant':
      if (node.values.length === 0) throw new SchemaError([], 'an enum has no value of its type.')
      return numbers.pick(node.values)
    case 'any-of': {
      const fitting = node.nodes.filter((alternative) => depthOf(alternative) <= room)
      return valueOf(numbers.pick(fitting), numbers, room)
    }
    case 'string':
      return text(node, numbers)
    case 'number':
      return number(node, numbers)
    case 'array':
      return array(node, numbers, room)
    case 'object':
      return object(node, numbers, room)
  }
}

function object(node: ObjectNode, numbers: SeededNumbers, room: number): Json {
  const entries = [...node.properties]
    .filter(
      ([name, inner]) => node.required.has(name) || (depthOf(inner) < room && numbers.next() < 0.7),
    )
    .map(([name, inner]) => [name, valueOf(inner, numbers, room - 1)] as const)
  const named = new Set(node.properties.keys())
  const unnamed = [...node.required]
    .filter((name) => !named.has(name))
    .map((name) => [name, valueOf(node.others ?? { kind: 'null' }, numbers, room - 1)] as const)
  return Object.fromEntries([...entries, ...unnamed])
}

function array(node: ArrayNode, numbers: SeededNumbers, room: number): Json {
  if (node.min > node.max) throw new SchemaError([], "'minItems' is above 'maxItems'.")
  const most =
    depthOf(node.items) < room ? Math.min(node.max, node.min + extraItems(room)) : node.min
  const length = numbers.integer(Math.min(most, Math.max(node.min, 1)), most)
  return Array.from({ length }, () => valueOf(node.items, numbers, room - 1))
}

/** Fewer the deeper, so that nested arrays stay small. */
const extraItems = (room: number) => Math.max(0, Math.min(3, room - usualDepth + 3))

function text(node: StringNode, numbers: SeededNumbers): string {
  if (node.min > node.max) throw new SchemaError([], "'minLength' is above 'maxLength'.")
  const isFitting = (candidate: string) => fitsString(node, candidate)
  if (node.format !== undefined) {
    const candidate = formatted(node.format, numbers)
    if (candidate !== undefined && isFitting(candidate)) return candidate
  }
  if (node.pattern !== undefined) {
    const write = patternWriter(node.pattern)
    for (let tries = 0; write && tries < 200; tries += 1) {
      const candidate = write(numbers)
      if (isFitting(candidate)) return candidate
    }
    throw new SchemaError([], `pattern ${node.pattern} is not one that the simulator can write.`)
  }
  let line = words(numbers, numbers.integer(2, 7))
  while (line.length < node.min) line = `${line} ${prose(numbers, node.min - line.length)}`
  return line.length > node.max ? line.slice(0, node.max) : line
}

function number(node: NumberNode, numbers: SeededNumbers): number {
  const step = node.multipleOf ?? (node.integer ? 1 : undefined)
  const [from, to] = smallRange(node, Math.max(100, 2 * (step ?? 0)))
  for (let tries = 0; tries < 200; tries += 1) {
    const drawn = from + numbers.next() * (to - from)
    const candidates =
      step === undefined
        ? [Math.round(drawn * 100) / 100, drawn]
        : [
            Math.round(drawn / step) * step,
            Math.ceil(from / step) * step,
            Math.floor(to / step) * step,
          ]
    const found = candidates.find((candidate) => fitsNumber(node, candidate))
    if (found !== undefined) return found === 0 ? 0 : found
  }
  throw new SchemaError([], 'no number is within the bounds.')
}

/** The part of the bounds next to zero: safe-integer bounds would give no number that people read. */
function smallRange({ min, max }: NumberNode, span: number): [number, number] {
  if (max <= 0) return [Math.max(min, max - span), max]
  const from = Math.max(min, 0)
  return [from, Math.min(max, from + span)]
}
