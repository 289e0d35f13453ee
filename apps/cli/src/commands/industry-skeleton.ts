/** A small industry that passes `almanac industry check`, with a comment at everything to decide. */
export const industrySkeleton = (
  id: string,
): string => `// An industry: what can be ordered of it, how evidence is recognised, and what the engine is told.
// This file is JSON with comments. Check it with \`almanac industry check\`, try it on real items with
// \`almanac industry try\`, and install it by naming it in ALMANAC_INDUSTRIES.
{
  "id": "${id}",
  // A published version is never changed: every change is a new version, beside the old one.
  "version": "1.0.0",
  "title": "Container glass",
  // How many days a report of a rolling window looks back.
  "lookBackDays": 7,

  // What the engine is told. It sees nothing else but this, the specification and the evidence.
  "instruction": {
    "id": "${id}-analyst",
    "version": "1.0.0",
    "text": "You are a market analyst of the glass industry. Report only what the evidence says; name the company and the place when the evidence does; never write of a plan as if it had happened."
  },

  // The sections that a report may have. An item of evidence belongs to an entry when its lexicon says
  // so. These are alternatives, of which one must hold:
  //   "terms"       phrases in the title or the text; whole words, in any case
  //   "titleTerms"  phrases in the title only
  //   "titleHints"  the same, for words that alone say too little to count as speaking of the entry
  //   "attributes"  values that a field of the item may have: { "type": ["Rule"] }
  // These must hold besides:
  //   "requires"    fields that must have one of the values, "present" fields that must be there,
  //   "excludes"    phrases that must not stand in the title
  // and "notWithin" names longer phrases inside which a term does not count.
  "deliverables": [
    {
      "key": "capacity",
      "label": "Capacity changes",
      "description": "Furnaces and lines that are opened, closed, rebuilt or idled.",
      "lexicon": { "terms": ["furnace", "new line", "shutdown", "expansion"] }
    },
    {
      "key": "prices",
      "label": "Prices",
      "description": "List prices, surcharges and contract prices.",
      "lexicon": { "terms": ["price", "prices", "surcharge"], "notWithin": ["share price", "price tag"] }
    }
  ],

  // Where: one entry of an axis may be the fallback, which gets what no other entry matches.
  "regions": [
    { "key": "world", "label": "World", "fallback": true, "lexicon": {} },
    { "key": "europe", "label": "Europe", "lexicon": { "terms": ["europe", "european"] } },
    // What belongs to an entry "within" another belongs to that one too.
    { "key": "germany", "label": "Germany", "within": "europe", "lexicon": { "terms": ["germany", "german"] } }
  ],

  // Links of the supply chain.
  "links": [
    { "key": "raw-materials", "label": "Raw materials", "lexicon": { "terms": ["soda ash", "cullet", "silica sand"] } },
    { "key": "production", "label": "Production", "fallback": true, "lexicon": {} },
    { "key": "customers", "label": "Customers", "lexicon": { "terms": ["brewery", "breweries", "bottler"] } }
  ]
}
`
