import { archetype, type Subject } from '../archetype.ts'

/** Employees, students, patients, volunteers. */
export const people: Subject = {
  tasks: [
    archetype(
      'prepare',
      'persons',
      'Keep a roster of the {object} and of what each may see',
      'Roster of the {object} with consents',
      [
        'Keep one roster with name, contact, language and preferred hour',
        'Record consent per use of personal data|, with the date it lapses',
        'Note special needs on a separate, locked sheet',
      ],
      'nobody appears twice, and no entry lacks consent',
      'People notice first whether their name and needs were remembered.',
    ),
    archetype(
      'check',
      'voices',
      'Hear the {object} themselves',
      'Statements of the {object}',
      [
        'Ask the quietest three in private how it goes',
        'Let them choose between writing and talking',
        'Report back within a week what was heard|, without names',
      ],
      'answers came from more than the usual speakers',
      'Those who suffer most from a process speak up least.',
    ),
    archetype(
      'gather',
      'strengths',
      'Find out what the {object} bring along',
      'Overview of strengths and wishes',
      [
        'Ask each what went unused in the last place',
        'Pair complementary strengths, not friends',
        'Note wishes for times and places|, and grant the cheap ones',
      ],
      'every pair was told why it is a pair',
      'Unused strengths leave with their owner.',
    ),
  ],
}

/** Customers, clients, users, members. */
export const customers: Subject = {
  tasks: [
    archetype(
      'gather',
      'journey',
      'Walk the road behind the {object}',
      'Map of moments for the {object}',
      [
        'Go through every contact yourself, on a telephone, with a full inbox',
        'Mark where patience ends|, with a clock',
        'Collect the words used at the counter and in tickets',
      ],
      'each moment on the map has a duration and a quotation',
      'Insiders never stand in their own queue.',
    ),
    archetype(
      'sustain',
      'feedback-loop',
      'Close the loop with the {object}',
      'Replies sent to the {object}',
      [
        'Answer each critical voice personally within two days',
        'Publish each month what was altered because somebody complained',
        'Invite five critics to look at the next draft',
      ],
      'every critical voice has a dated reply',
      'A critic who is answered often becomes the best tester.',
    ),
    archetype(
      'check',
      'segments',
      'Separate kinds of {object} by behaviour',
      'Behaviour groups within the {object}',
      [
        'Group by what they did in the last ninety days',
        'Follow one of each group for an hour',
        'Name groups by their verb|, not by age',
      ],
      'each group was followed for an hour',
      'Averages describe a person who does not exist.',
    ),
  ],
}

/** Suppliers, partners, agencies, departments. */
export const organisations: Subject = {
  tasks: [
    archetype(
      'prepare',
      'due-diligence',
      'Look behind the name of the {object}',
      'Standing file on the {object}',
      [
        'Verify registration, ownership and sanctions lists at the public register',
        'Read two years of accounts for dependence on a single buyer',
        'Get insurance and certificates from the issuer|, not from a scan',
      ],
      'registration, ownership and insurance were seen at their origin',
      'Trouble arrives from owners and debts, not from brochures.',
    ),
    archetype(
      'sustain',
      'relationship',
      'Agree how to work with the {object}',
      'Contact sheet and rhythm of talks',
      [
        'Exchange a contact sheet with deputies and an escalation line',
        'Settle formats for orders, changes and complaints',
        'Meet quarterly over three figures both sides accept',
      ],
      'both sides name the same deputy and the same three figures',
      'Most disputes are misunderstandings about who should have called whom.',
    ),
    archetype(
      'check',
      'scorecard',
      'Hold the {object} to agreed figures',
      'Scorecard of the {object}',
      [
        'Agree three figures and who takes them',
        'Show both sides the same sheet each month',
        'Reward a good quarter as visibly as a bad one is discussed',
      ],
      'both sides read the same sheet',
      'A figure only one side sees is a weapon.',
    ),
  ],
}
