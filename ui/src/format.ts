/** Numbers, dates and values as the window writes them. */
import type { ColumnKind, GridCell } from "./bridge/generated";

const count = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const decimal = new Intl.NumberFormat("en-US", { maximumFractionDigits: 10 });
const moment = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const date = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const shortDate = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

const DAY_MS = 86_400_000;

export function formatCount(value: number): string {
  return count.format(value);
}

/** "12 Mar 2026 14:27". */
export function formatMoment(ms: number): string {
  return moment.format(ms).replace(",", "");
}

/** A day as `2026-03-12`: "12 Mar 2026". */
export function formatDay(day: string): string {
  return date.format(new Date(`${day}T00:00:00Z`));
}

/** The time for today, else the day too: "14:27", "11 Mar 14:27". */
export function formatRecent(ms: number, now: number): string {
  const isToday = new Date(ms).toDateString() === new Date(now).toDateString();
  return isToday ? clock.format(ms) : `${shortDate.format(ms)} ${clock.format(ms)}`;
}

export function formatClock(ms: number): string {
  return clock.format(ms);
}

/** Seconds as a countdown: "0:42". */
export function formatCountdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** "46 s", "3 min", "2 h 10 min". */
export function formatSpan(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "0.4 s", "61 ms". */
export function formatDuration(ms: number): string {
  if (ms < 100) return `${Math.max(1, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return formatSpan(ms / 1_000);
}

/** "74 MB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return plural(bytes, "byte", "bytes");
  if (bytes < 1_000_000) return `${formatCount(Math.round(bytes / 1_000))} kB`;
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`;
}

/** A cell's text; empty for null. */
export function cellText(cell: GridCell | undefined, kind: ColumnKind): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "string") return cell;
  if (typeof cell === "number") {
    if (kind === "date_time") return formatMoment(cell);
    if (kind === "date") return date.format(cell * DAY_MS);
    return kind === "choice" || kind === "boolean" ? String(cell) : decimal.format(cell);
  }
  if ("text" in cell) return cell.text;
  return cell.name ?? cell.id;
}

/** Whether a column's values stand at the right. */
export function isNumeric(kind: ColumnKind): boolean {
  return kind === "integer" || kind === "decimal" || kind === "money";
}

/** Up to two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.split(/\s+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : undefined];
  return letters
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("")
    .toUpperCase();
}

/** "1 row", "2 rows". */
export function plural(value: number, one: string, many: string): string {
  return `${formatCount(value)} ${value === 1 ? one : many}`;
}

/** Stands for a name that is empty, so that there is something to click. */
export const NAMELESS = "(no name)";
