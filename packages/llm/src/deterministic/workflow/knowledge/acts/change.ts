import { archetype, type Act } from '../archetype.ts'

/** To migrate, move, replace, upgrade, retire. */
export const change: Act = {
  input: 'Description of the present state of the {object}',
  subject: 'equipment',
  core: 'switch',
  counterpart: { name: 'Cutover lead', duty: 'Calls go or back at the agreed decision points.' },
  tasks: [
    archetype(
      'prepare',
      'inventory',
      'Take stock of the {object} as {they are/it is} today',
      'Inventory with dependants of the {object}',
      [
        'Walk through the {object} and record what each part connects to',
        'Mark parts nobody claims|, and find out who would notice if they vanished',
        'Decide part by part: carry over, rebuild or drop',
        'Freeze further alterations until the switch',
      ],
      'nothing connects to the {object} that the inventory does not show',
      'Most failed moves break something that nobody knew was attached.',
    ),
    archetype(
      'prepare',
      'speak',
      'Tell those who depend on the {object} early',
      'Answered worries about the {object}',
      [
        'Visit the three heaviest users before the plan is final',
        'Collect worries, and answer each by a date or a no',
        'Offer a trial seat to the loudest sceptic',
        'Print the help number on paper|, since screens may be dark',
      ],
      'each worry has a date or a no beside it',
      'People resist being surprised more than being moved.',
    ),
    archetype(
      'produce',
      'rehearse',
      'Rehearse the switch of the {object} on a copy',
      'Rehearsed switch plan with timings',
      [
        'Run the whole sequence on a copy with real volumes|, clock in hand',
        'Write beside each step how it is undone and how long undoing takes',
        'Repeat until two runs in a row need no improvisation',
        'Set the last moment at which turning back is still possible',
      ],
      'two consecutive rehearsals finish inside the window without improvising',
      'A step first tried on the night itself is an experiment.',
    ),
    archetype(
      'deliver',
      'switch',
      'Switch the {object} over',
      'Switched {object} with a log of the night',
      [
        'Tell everyone affected when it begins, what stops and where to call',
        'Follow the rehearsed sequence and log each step as it ends|, with its time',
        'Stop at each decision point and say aloud: go or back',
        'Keep the old way intact and locked, not deleted',
      ],
      'the log shows each step closed, and the first user has worked in the new place',
      'Decision points agreed in daylight spare tired people from deciding at night.',
    ),
    archetype(
      'check',
      'compare',
      'Compare before and after',
      'Comparison of old and new {object}',
      [
        'Count and total on both sides|, and explain every difference to the last one',
        'Have daily users redo five of their usual jobs',
        'Watch for a full business cycle before the old way is switched off',
        'Hand leftovers to a named owner with a date',
      ],
      'differences are zero or explained in writing, and the old way is retired by decision',
      'What was lost on the way is cheap to restore only while the old way still exists.',
    ),
  ],
}
