/** Marks the words of a search in a text. */
export function Marked({ text, terms }: { text: string; terms: string[] }) {
  const parts = markedParts(text, terms);
  if (parts.length === 1 && !parts[0]?.isMatch) return <>{text}</>;
  let at = 0;
  return (
    <>
      {parts.map((part) => {
        const key = at;
        at += part.text.length;
        return part.isMatch ? <mark key={key}>{part.text}</mark> : part.text;
      })}
    </>
  );
}

/** A text in parts that match and parts that do not, whatever the case. */
export function markedParts(text: string, terms: string[]): { text: string; isMatch: boolean }[] {
  const lower = text.toLowerCase();
  // Letters that change their length with their case would shift what follows.
  if (lower.length !== text.length || terms.length === 0) return [{ text, isMatch: false }];
  const hits: [from: number, until: number][] = [];
  for (const term of terms) {
    for (let at = lower.indexOf(term); at >= 0; at = lower.indexOf(term, at + term.length)) {
      hits.push([at, at + term.length]);
    }
  }
  hits.sort((one, other) => one[0] - other[0]);
  const parts: { text: string; isMatch: boolean }[] = [];
  let done = 0;
  for (const [from, until] of hits) {
    if (until <= done) continue;
    const start = Math.max(from, done);
    if (start > done) parts.push({ text: text.slice(done, start), isMatch: false });
    parts.push({ text: text.slice(start, until), isMatch: true });
    done = until;
  }
  if (done < text.length || parts.length === 0) {
    parts.push({ text: text.slice(done), isMatch: false });
  }
  return parts;
}

/** The words that are searched for. */
export function termsOf(search: string): string[] {
  return search
    .toLowerCase()
    .split(/\s+/)
    .filter((term) => term !== "");
}
