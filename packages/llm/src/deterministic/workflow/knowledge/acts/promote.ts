import { archetype, type Act } from '../archetype.ts'

/** To sell, market, promote, recruit, raise. */
export const promote: Act = {
  input: 'What was tried before for the {object}',
  subject: 'customers',
  core: 'message',
  counterpart: {
    name: 'Voice of the customer',
    duty: 'Says what people outside would really think.',
  },
  tasks: [
    archetype(
      'gather',
      'listeners',
      'Find out who would care about the {object}',
      'Portrait of those who care',
      [
        'Interview eight people who said yes lately, and four who said no',
        'Write down the moment in which they started looking|, in their own words',
        'Rank places where they already spend attention',
        'Drop the segment everybody names first and check whether it is missed',
      ],
      'three portraits are pinned up, each built from real sentences',
      'People buy at a moment, not in a segment.',
    ),
    archetype(
      'prepare',
      'offer',
      'Build an offer around the {object} that is hard to refuse',
      'Tested offer',
      [
        'Take away the reason for waiting: risk, effort or doubt',
        'Test two prices and two guarantees on forty people',
        'Write the refusal you expect, then remove its cause',
        'Check that honouring the offer is possible at ten times the response',
      ],
      'the better variant won by more than chance',
      'A weak offer makes any message expensive.',
    ),
    archetype(
      'produce',
      'message',
      'Shape the message for the {object}',
      'Message kit for the {object}',
      [
        'Write twenty headlines, keep the two that a stranger can retell',
        'Support each claim with one proof that a sceptic would accept',
        'Cut the kit to a sentence, a picture and a page',
        'Clear claims with whoever would answer for them',
      ],
      'a stranger retells the sentence without changing its meaning',
      'What cannot be retold does not travel.',
    ),
    archetype(
      'deliver',
      'campaign',
      'Carry the message out in small bets',
      'Results for the {object} by channel',
      [
        'Spend a tenth in five places at once before spending the rest',
        'Answer every reply on the same day|, by a person',
        'Shift the budget weekly to where a yes costs least',
        'Stop a channel after three weak weeks without debate',
      ],
      'the cost of a yes is known for each channel',
      'Small bets are the only research that also sells.',
    ),
    archetype(
      'sustain',
      'loyalty',
      'Keep those whom the {object} won',
      'Plan for those who said yes',
      [
        'Deliver the promised thing sooner than promised',
        'Ask after ten days what nearly stopped them',
        'Give them something worth passing on',
        'Count who came back, apart from who came',
      ],
      'the share that came back is on the same page as the share that came',
      'A yes that regrets itself costs three future ones.',
    ),
  ],
}
