import { archetype, type Act } from '../archetype.ts'

/** To onboard or register organisations: suppliers, partners, branches. */
export const admit: Act = {
  input: 'Applications and references of the {object}',
  subject: 'organisations',
  core: 'file',
  counterpart: {
    name: 'Approver of admissions',
    duty: 'Admits or refuses on the file alone, without having met the applicant.',
  },
  tasks: [
    archetype(
      'prepare',
      'entry',
      'Set the entry conditions for the {object}',
      'Entry conditions for the {object}',
      [
        'Separate what excludes an applicant from what can be mended later',
        'Ask for papers once, in one list|, with an example of each',
        'Scale the depth of checking by spend and by danger',
        'Publish how long a decision takes',
      ],
      'an applicant can tell beforehand whether applying makes sense',
      'Half of all applications fail on a condition that nobody had told them.',
    ),
    archetype(
      'gather',
      'file',
      'Build the admission file of the {object}',
      'Admission files of the {object}',
      [
        'Obtain bank details by a second channel|, and call back on a published number',
        'Have declarations signed by somebody entitled to sign',
        'Chase absent papers twice, then close the application',
        'Enter names exactly as the register spells them',
      ],
      'each file is complete or closed, and bank details were confirmed by call',
      'Changed bank details are the commonest fraud at this point.',
    ),
    archetype(
      'check',
      'trial-order',
      'Try the {object} on a small order',
      'Results of the trial orders',
      [
        'Place an order small enough to lose, with a real date and a real test',
        'Score punctuality, papers and response to one deliberate question',
        'Invite an explanation for each miss before scoring it',
        'Repeat once where luck may have decided',
      ],
      'each trial order has a score that both sides have seen',
      'References are chosen; orders are not.',
    ),
    archetype(
      'deliver',
      'master-record',
      'Admit the {object} and open their record',
      'Opened master records of the {object}',
      [
        'Record the decision with its reasons and an expiry',
        'Create the master record under four eyes|, payment terms included',
        'Tell buyers what may be ordered, up to which amount',
        'Write to refused applicants what would change the decision',
      ],
      'a first invoice could be paid without a single manual correction',
      'Mistakes in a master record repeat themselves with each invoice.',
    ),
    archetype(
      'sustain',
      'watchlist',
      'Keep admitted {object} under review',
      'Review calendar of the {object}',
      [
        'Sort by dependence: whom could we lose tomorrow',
        'Recheck sanctions, insurance and ownership at fixed dates',
        'Record near misses as well as failures',
        'Prepare an exit for each one whose loss would stop us',
      ],
      'nobody on whom work depends lacks an exit',
      'Admission ages like any other certificate.',
    ),
  ],
}
