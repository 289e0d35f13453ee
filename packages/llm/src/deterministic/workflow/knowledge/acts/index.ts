import type { Act } from '../archetype.ts'
import { account } from './account.ts'
import { admit } from './admit.ts'
import { assess } from './assess.ts'
import { build } from './build.ts'
import { change } from './change.ts'
import { choose } from './choose.ts'
import { comply } from './comply.ts'
import { improve } from './improve.ts'
import { launch } from './launch.ts'
import { maintain } from './maintain.ts'
import { plan } from './plan.ts'
import { promote } from './promote.ts'
import { research } from './research.ts'
import { respond } from './respond.ts'
import { watch } from './watch.ts'
import { welcome } from './welcome.ts'
import { write } from './write.ts'

/** What is known of each class of verbs. */
export const acts = {
  account,
  admit,
  assess,
  build,
  change,
  choose,
  comply,
  improve,
  launch,
  maintain,
  plan,
  promote,
  research,
  respond,
  watch,
  welcome,
  write,
} as const satisfies Record<string, Act>
export type ActName = keyof typeof acts
