import { archetype, type Act } from '../archetype.ts'

/** To onboard, train, teach, welcome, admit. */
export const welcome: Act = {
  input: 'Dates and papers of the {object}',
  subject: 'people',
  core: 'firsts',
  counterpart: { name: 'Host', duty: 'Is the one face to turn to until nobody asks any more.' },
  tasks: [
    archetype(
      'prepare',
      'arrival',
      'Prepare the arrival of the {object}',
      'Arrival plan for the {object}',
      [
        'Ask ahead what the {object} already {know/knows} and what may cause unease',
        'Have access, place and first assignment ready on the eve|, tried out by the host',
        'Send one page: when, where, whom to ask for, what the first day holds',
        'Block the host’s calendar for the first mornings',
      ],
      'the host has logged in, sat down and opened the first assignment in their stead',
      'The first hour decides whether somebody feels expected.',
    ),
    archetype(
      'produce',
      'why-here',
      'Explain how the place of the {object} fits the whole',
      'Picture of the whole with their place in it',
      [
        'Draw the whole on one sheet, from request to result',
        'Let them follow one real case through all hands',
        'Say which mistakes are cheap here, and which are not',
        'Name the words that mean something else here than elsewhere',
      ],
      'asked at random, they point to their place on the sheet',
      'Whoever sees the whole asks better questions about the part.',
    ),
    archetype(
      'produce',
      'firsts',
      'Lead the {object} through a first real result',
      'First results of the {object}',
      [
        'Show it once at full speed, once slowly, then swap seats',
        'Choose an assignment small enough for a single day and real enough to matter',
        'Introduce five people by the question each can answer',
        'Let them write down what confused them|, while they still see it',
      ],
      'something that the {object} made is in use',
      'Doing something real early teaches more than a week of slides.',
    ),
    archetype(
      'check',
      'mastery',
      'Check what the {object} can do unaided',
      'Record of mastered skills',
      [
        'Have each skill shown, not described|, on a case not seen before',
        'Mark shown, shown with help, not yet, and plan practice for the last',
        'Repeat the hard ones after three weeks, when short memory has faded',
        'Ask what they would explain differently',
      ],
      'each skill is marked as shown on an unseen case',
      'Nodding is not knowing.',
    ),
    archetype(
      'sustain',
      'release',
      'Release the {object} into everyday work',
      'Handover talk with open wishes',
      [
        'Hold a talk of thirty minutes after thirty, sixty and ninety days',
        'Pass the host’s role on to the team, name by name',
        'Turn the noted confusions into changes of the arrival plan',
        'Celebrate the first time they helped somebody newer',
      ],
      'a week has gone by without a question to the host',
      'Support that ends on a date, not on a state, ends too early.',
    ),
  ],
}
