import { createSecretKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'

/** The sections of docs/configuration.md, in their order. */
export const groups = [
  'General',
  'Database',
  'Queue',
  'API',
  'Worker',
  'Engine',
  'Plugins',
  'Command line',
] as const

export interface SettingFacts {
  group: (typeof groups)[number]
  /** One sentence. */
  description: string
  /** What it takes, as the end of the sentence "It must be …". */
  allowed: string
  example: string
  /** The value is never shown, in no message and no log. */
  secret: boolean
  /** The default in words, where it follows from another setting. */
  defaultsTo?: string
}

/** What is known of each setting's schema, for messages and documents. */
export const settingFacts = z.registry<SettingFacts>()

/** How a setting's text becomes its value, with what is allowed in words. */
export interface Accepts<T> {
  allowed: string
  schema: z.ZodType<T, string>
}

type Described = Omit<SettingFacts, 'allowed' | 'secret'> & { secret?: true }

const register = <S extends z.ZodType>(schema: S, allowed: string, facts: Described): S => {
  settingFacts.add(schema, { ...facts, allowed, secret: facts.secret ?? false })
  return schema
}

/** A setting that has a value even when nobody sets it. */
export const setting = <T>(
  { schema, allowed }: Accepts<T>,
  { default: fallback, ...facts }: Described & { default: string },
) => register(schema.prefault(fallback), allowed, facts)

/** A setting that may stay unset. */
export const optionalSetting = <T>({ schema, allowed }: Accepts<T>, facts: Described) =>
  register(schema.optional(), allowed, facts)

const mustBe = (allowed: string) => ({ error: `must be ${allowed}` })

const described = <T>(
  allowed: string,
  build: (error: { error: string }) => z.ZodType<T, string>,
): Accepts<T> => ({ allowed, schema: build(mustBe(allowed)) })

export const wholeNumber = (least: number, most: number): Accepts<number> =>
  described(`a whole number from ${least} to ${most}`, (error) =>
    z
      .string()
      .refine(
        (text) => /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most,
        error,
      )
      .transform(Number),
  )

export const oneOf = <const V extends readonly [string, string, ...string[]]>(
  values: V,
): Accepts<V[number]> =>
  described(`${values.slice(0, -1).join(', ')} or ${values.at(-1)}`, (error) =>
    z.enum(values, error),
  )

export const yesOrNo: Accepts<boolean> = described('true or false', (error) =>
  z.enum(['true', 'false'], error).transform((text) => text === 'true'),
)

const parsesAsUrl = (text: string, protocols: readonly string[]) =>
  URL.canParse(text) && protocols.includes(new URL(text).protocol)

export const url = (...protocols: [string, ...string[]]): Accepts<string> =>
  described(`a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`, (error) =>
    z.string().refine((text) => parsesAsUrl(text, protocols), error),
  )

/** Printable text; control characters in a name, key or path are always a mistake. */
export const text = (what: string): Accepts<string> =>
  described(what, (error) => z.string().regex(/^[^\p{Cc}]+$/u, error))

/** A name as plugins give it; `what` names those that are always there. */
export const nameOf = (what: string): Accepts<string> =>
  described(what, (error) => z.string().regex(/^[a-z][a-z0-9-]{0,47}$/, error))

/** Different texts, separated by commas. */
export const listOf = (what: string): Accepts<string[]> =>
  described(`a list of ${what}, separated by commas, each once`, (error) =>
    z.string().transform((list, context) => {
      const entries = list.split(',').map((entry) => entry.trim())
      const isFine = entries.every((entry) => /^[^\p{Cc}]+$/u.test(entry))
      if (isFine && new Set(entries).size === entries.length) return entries
      context.addIssue({ code: 'custom', message: error.error })
      return z.NEVER
    }),
  )

/** A key that seals stored content; `id` is stored beside what it sealed. */
export interface SealKey {
  id: string
  /** 32 bytes, which no log or JSON can show. */
  key: KeyObject
}

const sealKey = /^([a-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/

export const sealKeyList: Accepts<SealKey[]> = described(
  'a list of id:key pairs, separated by commas, with different ids and keys of 32 bytes in base64',
  (error) =>
    z.string().transform((list, context) => {
      const keys = list.split(',').flatMap((pair) => {
        const [, id, encoded] = sealKey.exec(pair.trim()) ?? []
        return id && encoded ? [{ id, key: createSecretKey(encoded, 'base64') }] : []
      })
      const ids = new Set(keys.map(({ id }) => id))
      if (ids.size === list.split(',').length) return keys
      context.addIssue({ code: 'custom', message: error.error })
      return z.NEVER
    }),
)
