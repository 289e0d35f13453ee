/** Makes the second `a` `a~2`: a document with findings may name two elements alike. */
export function uniqueIds(): (id: string) => string {
  const taken = new Set<string>()
  return (id) => {
    let unique = id
    for (let n = 2; taken.has(unique); n += 1) unique = `${id}~${n}`
    taken.add(unique)
    return unique
  }
}
