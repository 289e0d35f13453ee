import { archetype, type Act } from '../archetype.ts'

/** To buy, procure, select, hire, negotiate. */
export const choose: Act = {
  input: 'Need that calls for the {object}',
  subject: 'goods',
  core: 'prove',
  counterpart: { name: 'Negotiator', duty: 'Speaks for the buyer, and for nobody else.' },
  tasks: [
    archetype(
      'prepare',
      'musts',
      'Split needs for the {object} into musts and wishes',
      'Musts, wishes and weights',
      [
        'List knock-out conditions|, few enough to remember',
        'Weigh the wishes before any offer is seen',
        'Estimate the price of doing nothing for a year',
        'Fix who decides, and who may veto on what ground',
      ],
      'weights add up to a hundred and were signed before the first offer',
      'Weights set afterwards always favour the favourite.',
    ),
    archetype(
      'prepare',
      'alternatives',
      'Challenge the need for the {object}',
      'Case for and against the {object}',
      [
        'Compare with repairing, sharing, borrowing and waiting',
        'Ask who would object, and write down the best objection',
        'Calculate when the choice could be reversed, and at what loss',
        'Get the spending approved in principle|, with its ceiling',
      ],
      'the best objection has a written answer',
      'The cheapest purchase is the one that proves needless.',
    ),
    archetype(
      'gather',
      'market',
      'Invite offers from a wide field',
      'Comparable offers for the {object}',
      [
        'Look for five candidates, at least one of them unknown to everybody',
        'Send all of them the same text, the same day',
        'Share each answer to a question with the whole field',
        'Return offers that ignore a knock-out condition|, with thanks',
      ],
      'three offers stand side by side in the same units',
      'Only like can be compared with like.',
    ),
    archetype(
      'check',
      'prove',
      'Test the shortlist for the {object} in practice',
      'Scored shortlist',
      [
        'Give the best two a real piece of work, paid if it is large',
        'Call a reference they did not name',
        'Score separately, then reveal all scores at once',
        'Compute the cost over five years, leaving included',
      ],
      'scores, references and five-year costs lie on one sheet',
      'Presentations show selling; a piece of work shows working.',
    ),
    archetype(
      'deliver',
      'contract',
      'Negotiate and sign for the {object}',
      'Signed agreement on the {object}',
      [
        'Enter with a walk-away point and an alternative|, both written',
        'Trade terms for terms: never concede without asking',
        'Put service levels, exit and prices after the first year into the text',
        'Tell the others why they lost, on the same day',
      ],
      'the signed text holds exit terms and nobody had to pass the walk-away point',
      'The second year is negotiated before the first signature.',
    ),
  ],
}
