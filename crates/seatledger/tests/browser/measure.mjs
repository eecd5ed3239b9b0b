// Measures the dashboard of a running service: what a page weighs and how it loads, and what many browsers cost.
//
//   node measure.mjs ADDRESS PROCESS
import { readFileSync } from "node:fs";
import { launch, WIDE } from "./browser.mjs";

const [address, process_id] = process.argv.slice(2);
const PAGES = ["/", "/features", "/feature?code=anshpc", "/people", "/denials", "/history"];
const BROWSERS = 200;
const EVERY = 2000;
const SECONDS = 30;
const TIMES = 5;

// What has come over the wire, in kB; the paint of the largest element in s; how far things jumped; what kept the page from
// answering for longer than 50 ms at a time, in ms.
async function load(page, path) {
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  let bytes = 0;
  client.on("Network.loadingFinished", (done) => { bytes += done.encodedDataLength; });
  await page.addInitScript(() => {
    window.measured = { paint: 0, shift: 0, blocked: 0 };
    const watch = (type, each) => new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true });
    watch("largest-contentful-paint", (entry) => { measured.paint = entry.startTime; });
    watch("layout-shift", (entry) => { measured.shift += entry.hadRecentInput ? 0 : entry.value; });
    watch("longtask", (entry) => { measured.blocked += Math.max(0, entry.duration - 50); });
  });
  await page.goto(address + path, { waitUntil: "networkidle" });
  const measured = await page.evaluate(() => measured);
  await client.detach();
  return { ...measured, kilobytes: bytes / 1000 };
}

async function pages() {
  const browser = await launch();
  console.log("| page | first visit, kB | again, kB | largest paint, ms | layout shift | blocked, ms |\n|---|---|---|---|---|---|");
  for (const path of PAGES) {
    const seen = [];
    for (let time = 0; time < TIMES; time += 1) {
      const context = await browser.newContext({ viewport: WIDE });
      const first = await load(await context.newPage(), path);
      const again = await load(await context.newPage(), path);
      seen.push({ ...first, again: again.kilobytes });
      await context.close();
    }
    const worst = (key) => Math.max(...seen.map((of) => of[key]));
    console.log(`| ${path} | ${worst("kilobytes").toFixed(0)} | ${worst("again").toFixed(0)} | ${worst("paint").toFixed(0)} ` +
      `| ${worst("shift").toFixed(3)} | ${worst("blocked").toFixed(0)} |`);
  }
  await browser.close();
}

// Seconds of processor time that the service has used.
function used() {
  const fields = readFileSync(`/proc/${process_id}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

// What an open page of Now does, without its window: it asks again as often as web/app.js, and tells what it has.
async function visitors() {
  const [began, cpu] = [Date.now(), used()];
  const waits = [];
  const visit = async (nth) => {
    let tag = "";
    await new Promise((done) => setTimeout(done, EVERY * nth / BROWSERS));
    while (Date.now() - began < SECONDS * 1000) {
      const asked = performance.now();
      const answer = await fetch(address, { headers: { accept: "text/html", ...(tag && { "if-none-match": tag }) } });
      await answer.arrayBuffer();
      tag = answer.headers.get("etag") ?? tag;
      waits.push(performance.now() - asked);
      await new Promise((done) => setTimeout(done, Math.max(0, EVERY - (performance.now() - asked))));
    }
  };
  await Promise.all(Array.from({ length: BROWSERS }, (_, nth) => visit(nth)));
  const share = (used() - cpu) / ((Date.now() - began) / 1000);
  waits.sort((one, other) => one - other);
  console.log(`\n${BROWSERS} browsers on Now, each asking every ${EVERY} ms: ${(100 * share).toFixed(1)} % of a core; answered in ` +
    `${waits[waits.length >> 1].toFixed(1)} ms (median), ${waits[Math.floor(waits.length * 0.99)].toFixed(1)} ms (99th percentile)`);
}

await pages();
await visitors();
