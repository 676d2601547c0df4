// What is measured inside the window, over the same bridge that its pages use.
const invoke = (command, given) => window.__TAURI_INTERNALS__.invoke(command, given);
const frame = () => new Promise((done) => requestAnimationFrame(done));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const COLUMNS = ["fullname", "parentcustomerid", "jobtitle", "emailaddress1", "telephone1",
  "mobilephone", "address1_city", "modifiedon"];

async function timed(work) {
  const begun = performance.now();
  const value = await work();
  return [performance.now() - begun, value];
}

let known = null;
async function connection() {
  known ??= (await invoke("app_state")).connections[0].id;
  return known;
}

async function openView(part, most = null) {
  const request = { table: "contact", filters: [], search: null, sort: null, deleted: "exclude",
    stale_only: false, ...part };
  return invoke("open_view", { connection: await connection(), request, most });
}

async function settled(css, text) {
  const found = () => [...document.querySelectorAll(css)].some((one) => one.textContent.includes(text));
  for (let tries = 0; !found(); tries++) {
    if (tries > 5000) throw new Error(`${css} does not say ${text}`);
    await frame();
  }
  await frame();
}

// The one of several viewports that scrolls.
const scroller = () => [...document.querySelectorAll(".ag-root [class*=viewport]")]
  .find((one) => one.scrollHeight > 10 * one.clientHeight && one.clientHeight > 200);

window.bench = {
  // S4: opening a view. Gives milliseconds and rows.
  async open(part) {
    await connection();
    const [ms, view] = await timed(() => openView(part));
    await invoke("close_view", { view: view.id });
    return { ms, rows: view.total };
  },
  // S5: windows of 200 rows at any depth.
  async windows(count) {
    const view = await openView({ sort: { column: "fullname", descending: false } });
    const times = [];
    for (let place = 0; place < count; place++) {
      const offset = Math.floor(Math.random() * (view.total - 200));
      const given = { view: view.id, offset, limit: 200, columns: COLUMNS };
      times.push((await timed(() => invoke("window", given)))[0]);
    }
    await invoke("close_view", { view: view.id });
    return times;
  },
  // S6: words typed letter by letter, each time with the first window of what is found.
  async searches(words) {
    const times = [];
    for (const word of words) {
      for (let letters = 3; letters <= word.length; letters++) {
        const [ms] = await timed(async () => {
          // As the pages ask while somebody types: the first thousand, and the rest afterwards.
          const view = await openView({ search: word.slice(0, letters) }, 1000);
          await invoke("window", { view: view.id, offset: 0, limit: 200, columns: COLUMNS });
          await invoke("close_view", { view: view.id });
        });
        times.push(ms);
      }
    }
    return times;
  },
  // From a click to the frame after what it leads to is drawn.
  async paint(id, css, text) {
    const button = document.querySelector(`[data-testid="${id}"]`);
    return (await timed(async () => {
      button.click();
      await settled(css, text);
    }))[0];
  },
  // From a jump to a share of the grid's depth to the frame with the rows that are there.
  async reach(share) {
    // A page that was just opened has its first rows before it knows how many there are.
    for (let tries = 0; !(scroller()?.scrollHeight > 1e6); tries++) {
      if (tries > 1000) throw new Error("the grid stays short");
      await frame();
    }
    const grid = scroller();
    const top = grid.getBoundingClientRect().top;
    const there = () => [...document.querySelectorAll(".ag-row")].find((row) =>
      row.getBoundingClientRect().top >= top + 32 && row.querySelector(".cell-name")?.textContent);
    const [ms] = await timed(async () => {
      grid.scrollTop = share * (grid.scrollHeight - grid.clientHeight);
      await frame();
      for (let tries = 0; !there(); tries++) {
        if (tries > 1000) throw new Error("no row comes");
        await frame();
      }
    });
    return { ms, row: Number(there().getAttribute("row-index")) };
  },
  // Times between frames while the grid is scrolled, a screen a frame.
  async frames(ms) {
    const grid = scroller();
    const times = [];
    const begun = performance.now();
    let before = await frame();
    while (performance.now() - begun < ms) {
      grid.scrollTop += grid.clientHeight / 4;
      const now = await frame();
      times.push(now - before);
      before = now;
    }
    return times;
  },
  async fullSync() {
    await invoke("sync", { connection: await connection(), tables: ["contact"], full: true });
    await pause(3000);
  },
  async pauseSync() {
    await invoke("pause", { connection: await connection() });
  },
};
