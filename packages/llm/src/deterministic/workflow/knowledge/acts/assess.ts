import { archetype, type Act } from '../archetype.ts'

/** To audit, review, inspect, evaluate. */
export const assess: Act = {
  input: 'Last findings on the {object}',
  subject: 'documents',
  core: 'judge',
  counterpart: { name: 'Second assessor', duty: 'Judges a sample of the same evidence blind.' },
  tasks: [
    archetype(
      'prepare',
      'criteria',
      'Fix the yardstick for the {object}',
      'Yardstick for the {object}',
      [
        'Write down every criterion that the {object} will be held against|, each with the source that sets it',
        'Set for each criterion what counts as met, partly met and failed',
        'Strike criteria for which no proof could ever be found',
        'Have somebody outside the work try the criteria on one old case',
      ],
      'two people, working apart, mark an old case alike',
      'Without a yardstick set beforehand, judgement bends to what is found.',
    ),
    archetype(
      'gather',
      'sample',
      'Draw the sample and collect proof',
      'Proof file on the {object}',
      [
        'Draw the sample by lot or by risk|, and note which of the two',
        'Take copies, photographs or readings at the source instead of accepting a summary',
        'Label each piece of proof with date, place and who supplied it',
        'Ask one open question for every criterion: show me how you do this',
      ],
      'each criterion has at least one labelled piece of proof',
      'Proof that can be found again is what separates a finding from an opinion.',
    ),
    archetype(
      'gather',
      'rival',
      'Watch the {object} in ordinary use',
      'Observations of the {object} in use',
      [
        'Spend half a day where nobody prepared for a visit',
        'Write what is seen before writing what it means',
        'Speak with the person who has least to gain from a good mark|, and protect that person',
        'Come back at another hour and compare',
      ],
      'notes exist from two different hours',
      'Announced visits show how things are meant to be.',
    ),
    archetype(
      'check',
      'judge',
      'Judge the {object} criterion by criterion',
      'Graded findings on the {object}',
      [
        'Mark each criterion against its proof|, without looking at the total',
        'Grade every shortfall by harm and likelihood',
        'Compare marks with the second assessor and settle each difference by going back to the proof',
        'Separate causes from symptoms before naming either',
      ],
      'no mark stands without proof, and no difference is left open',
      'Marking line by line keeps a good impression from hiding a bad detail.',
    ),
    archetype(
      'deliver',
      'verdict',
      'Put the verdict on the {object} to those it concerns',
      'Verdict with agreed corrections',
      [
        'Read the draft findings to the people concerned and take corrections of fact only',
        'Agree for each shortfall who mends it and by which date|, starting with the gravest',
        'Name what was done well, so that it is kept',
        'Book the day on which the corrections are looked at again',
      ],
      'every graded shortfall has a name and a date beside it',
      'Findings that surprise their owners are argued about instead of mended.',
    ),
  ],
}
