import { useCallback, useEffect, useRef, useState } from "react";
import { added, between, NOTHING, type Range, type Selection, toggled } from "./selection";

/** Selected rows of a view. Another view has other rows, so that nothing is selected in it. */
export function useSelection(total: number, view: string) {
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const anchor = useRef<number | null>(null);
  const clear = useCallback(() => {
    anchor.current = null;
    setSelection(NOTHING);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the change that counts.
  useEffect(clear, [view]);
  const pick = useCallback((index: number, isRange: boolean) => {
    const from = anchor.current;
    if (isRange && from !== null) {
      setSelection((before) => added(before, ...between(from, index)));
      return;
    }
    anchor.current = index;
    setSelection((before) => toggled(before, index));
  }, []);
  const pickAll = useCallback(() => {
    setSelection(added(NOTHING, 0, total));
  }, [total]);
  const select = (): Range[] => selection.map(([from, until]): Range => [from, until]);
  return { selection, pick, pickAll, clear, select };
}
