import { archetype, type Subject } from '../archetype.ts'

/** Systems, applications, servers, websites, code. */
export const software: Subject = {
  tasks: [
    archetype(
      'prepare',
      'environment',
      'Set up a safe copy of the {object}',
      'Safe copy with restore proof',
      [
        'Create a copy with masked records and no way out to the network',
        'Restore a backup into it and time the restore',
        'Pin versions of components|, licences included',
      ],
      'a backup was restored within the tolerated time',
      'An untested backup is a hope with a schedule.',
    ),
    archetype(
      'check',
      'security',
      'Probe the {object} for weak points',
      'Weak points ranked by reach',
      [
        'List doors: accounts, interfaces, keys, administrators',
        'Try stale accounts, default passwords and missing patches',
        'Simulate the loss of one component during peak hours|, with the owner present',
      ],
      'no door is without an owner, and stale accounts are closed',
      'Intruders use the door that nobody owns.',
    ),
    archetype(
      'sustain',
      'operate',
      'Keep the {object} running after the work',
      'Operations page for the {object}',
      [
        'Name who is paged, and for which three signals',
        'Automate the restart that is done most often',
        'Delete accounts, copies and flags that the work left behind',
      ],
      'the person paged has restarted it once in daylight',
      'Temporary accounts are the most permanent ones.',
    ),
  ],
}

/** Machines, vehicles, tools, instruments. */
export const equipment: Subject = {
  tasks: [
    archetype(
      'prepare',
      'safety',
      'Make work on the {object} safe',
      'Risk card for the {object}',
      [
        'Name energies that can hurt: electric, pressure, height, heat, motion',
        'Assign guard, lock and protective gear per energy',
        'Brief the crew on the spot|, and have each member repeat one danger',
      ],
      'every energy has a guard, and each crew member repeated one danger',
      'Accidents happen in jobs that have always gone well.',
    ),
    archetype(
      'sustain',
      'spares',
      'Secure spares and know-how for the {object}',
      'Critical spares list',
      [
        'Flag parts whose absence halts output and whose delivery exceeds a week',
        'Keep serial numbers, drawings and passwords in two places',
        'Let a second person perform the rarest job once a year',
      ],
      'each critical part is on the shelf or has a promised delivery',
      'The missing part costs little; the waiting costs much.',
    ),
    archetype(
      'gather',
      'logbook',
      'Read the {object} through their logbook',
      'Running hours and past faults',
      [
        'Copy running hours, faults and fills of twelve months',
        'Circle faults that came back within thirty days',
        'Compare two of the same make side by side',
      ],
      'returning faults are circled and counted',
      'Machines announce failure in their logbooks.',
    ),
  ],
}

/** Warehouses, offices, sites, rooms, land. */
export const places: Subject = {
  tasks: [
    archetype(
      'gather',
      'survey',
      'Survey the {object} on foot',
      'Annotated floor plan',
      [
        'Measure doors, loads, sockets and turning circles',
        'Walk escape routes at the busiest hour',
        'Record neighbours’ limits on noise, parking and hours|, with who said so',
      ],
      'plan and reality differ by less than a hand’s width',
      'Plans show what was drawn, not what was built.',
    ),
    archetype(
      'sustain',
      'handover-keys',
      'Take over keys, meters and duties of the {object}',
      'Signed handover protocol',
      [
        'Read meters together and photograph each dial',
        'Count keys and cards against the list, and void the absent ones',
        'Name who clears snow, waste and alarms from the first night on',
      ],
      'protocol, readings and key count carry both signatures',
      'Unassigned duties surface at night.',
    ),
    archetype(
      'prepare',
      'permits',
      'Clear what may be done in the {object}',
      'Permits and house rules',
      [
        'Ask owner, insurer and fire service the same three questions',
        'Post the answers at the entrance',
        'Agree quiet hours with whoever lives next door|, in writing',
      ],
      'three answers hang at the entrance',
      'A stopped site costs more than a slow permit.',
    ),
  ],
}

/** Products, parts, stock, food, shipments. */
export const goods: Subject = {
  tasks: [
    archetype(
      'gather',
      'trace',
      'Make the {object} traceable',
      'Batch list of the {object}',
      [
        'Assign batch, origin and best-before to each lot on arrival',
        'Try to trace one lot forward and one backward in under an hour',
        'Quarantine lots with torn labels|, away from the rest',
      ],
      'both traces succeeded inside the hour',
      'A recall concerns one lot, or everything, depending on labels.',
    ),
    archetype(
      'check',
      'acceptance',
      'Accept or refuse the {object} at the gate',
      'Acceptance records',
      [
        'Check temperature, seal, count and papers before unloading',
        'Take the agreed number of samples blind from the middle',
        'Refuse by the written limit|, with a photograph for the sender',
      ],
      'each lot is recorded as accepted or refused, with its reading',
      'What is unloaded is half accepted.',
    ),
    archetype(
      'sustain',
      'stock-level',
      'Set order points for the {object}',
      'Order points and lot sizes',
      [
        'Derive the order point from delivery time and the worst fortnight',
        'Rotate by date, and show the date to the front',
        'Write off openly each month what expired',
      ],
      'nothing ran out and little expired in a month',
      'Too much hides faults, too little shows all of them at once.',
    ),
  ],
}

/** Conferences, workshops, meetings, trips, campaigns. */
export const events: Subject = {
  tasks: [
    archetype(
      'prepare',
      'venue',
      'Fix room, hour and guests of the {object}',
      'Run sheet with guest list',
      [
        'Hold two venues until numbers are firm, then release one in writing',
        'Write the run sheet by the minute for the first and last half hour',
        'Give each guest group a host and a seat plan|, access needs included',
      ],
      'every minute of arrival and departure has somebody in charge',
      'Guests remember beginning and end.',
    ),
    archetype(
      'check',
      'contingency',
      'Prepare for what could spoil the {object}',
      'Contingency cards',
      [
        'Write a card each for no speaker, no power, twice the guests and rain',
        'Put phone numbers of stand-ins on the card',
        'Try microphones, doors and payment an hour ahead',
      ],
      'each card names a stand-in who has agreed',
      'Calm hosts have merely thought of it earlier.',
    ),
    archetype(
      'deliver',
      'guests',
      'Look after the guests of the {object}',
      'Thanks and photographs sent',
      [
        'Greet each guest by name at the door',
        'Keep one host free for what nobody foresaw',
        'Send thanks with a photograph within two days',
      ],
      'each guest received thanks within two days',
      'Programmes are forgotten, welcomes are not.',
    ),
  ],
}

/** Incidents, complaints, outages, defects, requests. */
export const incidents: Subject = {
  tasks: [
    archetype(
      'prepare',
      'grades',
      'Grade the {object} by harm',
      'Grades with reaction times',
      [
        'Define four grades by people hurt, money lost and hours of standstill',
        'Set a time to react and a time to mend per grade',
        'Illustrate each grade by a real case|, so that a newcomer grades alike',
      ],
      'two strangers grade five old cases alike',
      'Arguments about grades eat the minutes that matter.',
    ),
    archetype(
      'sustain',
      'recurrence',
      'Look for returning {object}',
      'Top causes of the {object}',
      [
        'Group closed cases by cause each month and name the three largest groups',
        'Give the largest group a budget and an end date',
        'Recheck after a quarter whether it shrank|, and say so openly',
      ],
      'the largest group has an owner, a budget and an end date',
      'Handling the same case faster is not progress.',
    ),
    archetype(
      'deliver',
      'tell',
      'Tell those hit by the {object} how it stands',
      'Dated messages to those affected',
      [
        'Say what is known, what is not, and when the next word comes',
        'Use the same words at every counter',
        'Stop only with a message that it is over',
      ],
      'the final message went to everybody who got the first',
      'Rumours fill each hour without a message.',
    ),
  ],
}
