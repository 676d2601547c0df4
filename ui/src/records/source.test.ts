import { beforeEach, expect, test, vi } from "vitest";
import type { ViewRequest } from "../bridge/generated";
import { type Opened, ViewSource } from "./source";

const invoke = vi.hoisted(() => vi.fn());
vi.mock("@tauri-apps/api/core", () => ({ invoke }));

const request = (search: string | null): ViewRequest => ({
  table: "contact",
  filters: [],
  search,
  sort: null,
  deleted: "exclude",
  stale_only: false,
});

/** Views open when the test says so. */
function core() {
  const opening: ((total: number, whole?: boolean) => void)[] = [];
  const closed: number[] = [];
  let last = 0;
  invoke.mockImplementation((command: string, given: { view?: number }) => {
    if (command === "open_view") {
      last += 1;
      const id = last;
      return new Promise((resolve) =>
        opening.push((total, whole = true) => resolve({ id, total, whole, opened_ms: 1 })),
      );
    }
    if (command === "close_view") closed.push(given.view ?? 0);
    if (command === "window" && closed.includes(given.view ?? 0)) {
      return Promise.reject({ code: "view_closed", message: "", hint: "", reference: null });
    }
    return Promise.resolve({ rows: [{ id: `row of ${given.view}` }] });
  });
  return { opening, closed };
}

beforeEach(() => {
  invoke.mockReset();
});

test("one view is opened for any number of windows", async () => {
  const { opening } = core();
  const source = new ViewSource("c", request(null), () => {});
  const both = Promise.all([source.rows(null, 0, 200, []), source.rows(null, 200, 200, [])]);
  opening[0]?.(1_000);
  await both;
  expect(opening).toHaveLength(1);
});

test("who types on gets the view of the last text, and no earlier one stays open", async () => {
  const { opening, closed } = core();
  const opened: Opened[] = [];
  const source = new ViewSource("c", request("a"), (next) => opened.push(next));
  const first = source.view(null);
  source.select(request("ab"));
  const second = source.view(null);
  // The answers come in the wrong order.
  opening[1]?.(2);
  opening[0]?.(99);
  expect((await second).total).toBe(2);
  expect((await first).total).toBe(2);
  expect(opened.map((one) => one.request.search)).toEqual(["ab"]);
  expect(closed).toEqual([1]);
});

test("looking again closes the view that was looked at before", async () => {
  const { opening, closed } = core();
  const source = new ViewSource("c", request(null), () => {});
  const first = source.view(null);
  opening[0]?.(5);
  await first;
  const again = source.reopen(null);
  // Who scrolls meanwhile does not wait for it.
  expect(await source.rows(null, 0, 200, [])).toEqual([{ id: "row of 1", columns: [] }]);
  opening[1]?.(6);
  await again;
  expect((await source.view(null)).total).toBe(6);
  expect(closed).toEqual([1]);
});

test("a view that could not be opened is tried again", async () => {
  const source = new ViewSource("c", request(null), () => {});
  invoke.mockRejectedValueOnce({ code: "busy", message: "", hint: "", reference: null });
  await expect(source.view(null)).rejects.toMatchObject({ code: "busy" });
  invoke.mockResolvedValueOnce({ id: 1, total: 3, opened_ms: 1 });
  expect((await source.view(null)).total).toBe(3);
});

test("another order is another view", async () => {
  const { opening } = core();
  const source = new ViewSource("c", request(null), () => {});
  void source.view(null);
  void source.view({ column: "fullname", descending: true });
  expect(opening).toHaveLength(2);
});

test("the first rows that are found are shown at once, and the rest follows", async () => {
  const { opening, closed } = core();
  const opened: Opened[] = [];
  const source = new ViewSource("c", request("lin"), (next) => opened.push(next));
  const first = source.view(null);
  opening[0]?.(1_000, false);
  await first;
  await vi.waitFor(() => expect(opening).toHaveLength(2));
  expect(invoke.mock.calls.map(([, given]) => given.most)).toEqual([1_000, null]);
  opening[1]?.(22_000);
  await vi.waitFor(() => expect(opened).toHaveLength(2));
  expect(opened.map(({ view, isGrown }) => [view.total, isGrown])).toEqual([
    [1_000, false],
    [22_000, true],
  ]);
  expect(closed).toEqual([1]);
});
