/** The product's mark: a panel and its mirror image. */
export function Mark({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="mark">
      <path d="M5 2h9v28H5a3 3 0 0 1-3-3V5a3 3 0 0 1 3-3z" className="mark-left" />
      <path d="M18 2h9a3 3 0 0 1 3 3v22a3 3 0 0 1-3 3h-9z" className="mark-right" />
    </svg>
  );
}
