import { groups, settingFacts } from './setting.ts'
import { settings } from './settings.ts'

/** docs/configuration.md: every setting with what it takes, its default and an example. */
export function configurationMarkdown(): string {
  const sections = groups.map(
    (group) => `## ${group}\n\n${inGroup(group).map(settingSection).join('\n\n')}`,
  )
  return `${[preface, ...sections].join('\n\n')}\n`
}

/** .env.example: every setting, commented out, ready to be copied to .env. */
export function envExample(): string {
  const sections = groups.map(
    (group) => `# --- ${group} ---\n\n${inGroup(group).map(envEntry).join('\n\n')}`,
  )
  return `${[envPreface, ...sections].join('\n\n')}\n`
}

const preface = `# Configuration

<!-- Made by \`npm run docs:write\` from packages/runtime/src/config/settings.ts; change it there. -->

Almanac is configured by environment variables, read once at the start. A file \`.env\` in the working
directory is read too; a variable of the real environment wins over it, and an empty value counts as
not set. All problems are reported together, and a name that begins with \`ALMANAC_\` but is not in this
list is refused, so that a misspelt setting is never silently ignored. Nothing has to be set for a
first run.

Almanac runs in the **embedded** profile, with a Postgres of its own in \`ALMANAC_DATA\`, unless
\`DATABASE_URL\` is set: then it runs in the **standard** profile.`

const envPreface = `# Made by \`npm run docs:write\`; see docs/configuration.md.
# Copy this file to .env and remove the # before what you want to set. Nothing has to be set.`

interface Described {
  name: string
  description: string
  allowed: string
  example: string
  secret: boolean
  /** What holds when it is not set: in words, or the value itself. */
  unset: { words: string } | { value: string }
}

function inGroup(group: (typeof groups)[number]): Described[] {
  return Object.entries(settings.shape).flatMap(([name, schema]) => {
    const facts = settingFacts.get(schema)
    if (facts?.group !== group) return []
    const fallback = schema.parse(undefined)
    const unset =
      fallback === undefined
        ? { words: facts.defaultsTo ?? 'not set' }
        : { value: String(fallback) }
    return [{ name, unset, ...facts }]
  })
}

function settingSection({ name, description, allowed, example, secret, unset }: Described): string {
  const lines = [
    `- Allowed: ${allowed}`,
    `- Default: ${'value' in unset ? `\`${unset.value}\`` : unset.words}`,
    `- Example: \`${example}\``,
    ...(secret ? ['- Secret: never shown in a message or a log'] : []),
  ]
  return `### \`${name}\`\n\n${description}\n\n${lines.join('\n')}`
}

function envEntry({ name, description, allowed, example, unset }: Described): string {
  const fallback = 'value' in unset ? unset.value : unset.words
  return [
    ...wrapped(description),
    ...wrapped(`Allowed: ${allowed}. Default: ${fallback}.`),
    `#${name}=${example}`,
  ].join('\n')
}

/** The text as comment lines of at most 100 characters. */
function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = '#'
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > 100) {
      lines.push(line)
      line = '#'
    }
    line += ` ${word}`
  }
  return [...lines, line]
}
