import { archetype, type Act } from '../archetype.ts'

/** To plan, organise, schedule, host, prepare. */
export const plan: Act = {
  input: 'Wishes and fixed dates for the {object}',
  subject: 'events',
  core: 'conduct',
  counterpart: { name: 'Coordinator', duty: 'Keeps the calendar and settles clashes.' },
  tasks: [
    archetype(
      'prepare',
      'frame',
      'Frame the {object}: outcome, people, dates',
      'Frame of the {object}',
      [
        'Describe the moment at which the {object} {count/counts} as a success|, as if looking back',
        'List who must take part, who may, and who only wants to hear of it',
        'Mark the dates that cannot move and count backwards from them',
        'Write down the three assumptions that would topple the plan',
      ],
      'whoever must take part has agreed to outcome and dates',
      'Counting backwards shows on the first day that a week is missing.',
    ),
    archetype(
      'gather',
      'commitments',
      'Win commitments for the {object}',
      'List of commitments with amounts',
      [
        'Ask for hours, rooms and money by name and by day',
        'Repeat back what was promised, within the day',
        'Find a substitute for each promise that rests on one person',
        'Price the whole at low, likely and high|, and show all three',
      ],
      'each promise was repeated back, and each key person has a substitute',
      'A plan without promises is a wish list with dates.',
    ),
    archetype(
      'produce',
      'timetable',
      'Lay out the timetable with slack',
      'Timetable of the {object}',
      [
        'Break the road into pieces of at most three days, each with one name',
        'Put the riskiest piece first|, while there is time to fail',
        'Leave every fifth day empty on purpose',
        'Book rooms, tools and people that others also want',
      ],
      'each piece has one name, and the empty days are still empty',
      'Slack that was planned is used; slack that was not is taken from sleep.',
    ),
    archetype(
      'deliver',
      'conduct',
      'Carry out the {object} day by day',
      'Day log of the {object}',
      [
        'Start with ten minutes: what is due, what is stuck, who helps',
        'Move pieces in the timetable openly|, never only in heads',
        'Escalate whatever is stuck twice in a row',
        'Note surprises while they are fresh',
      ],
      'the log has an entry for each day, and nothing was stuck three times',
      'Short daily looks catch a slip while it is one day long.',
    ),
    archetype(
      'sustain',
      'debrief',
      'Debrief and keep the pattern',
      'Pattern for the next {object}',
      [
        'Ask each participant for one thing to keep and one to drop',
        'Compare the timetable as planned with the one that happened',
        'Turn what worked into a template of one page|, with names of suppliers and durations',
        'Settle open bills and favours',
      ],
      'the one-page template is filed where the next organiser will look',
      'The second time should start where the first one ended.',
    ),
  ],
}
