import type { Subject, SubjectName } from '../archetype.ts'
import { customers, organisations, people } from './living.ts'
import { equipment, events, goods, incidents, places, software } from './material.ts'
import { data, documents, money, rules } from './recorded.ts'

/** What is known of each class of things. */
export const subjects = {
  customers,
  data,
  documents,
  equipment,
  events,
  goods,
  incidents,
  money,
  organisations,
  people,
  places,
  rules,
  software,
} as const satisfies Record<SubjectName, Subject>
