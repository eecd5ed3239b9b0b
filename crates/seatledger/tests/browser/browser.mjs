// A headless Chromium that reaches nothing but this machine.
import { chromium } from "playwright-core";

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: QUIET });

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 390, height: 844 };

// How far what is on a page has moved since it was opened.
export const moved = (page) => page.evaluate(() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({ type: "layout-shift", buffered: true });
  // What has happened before is told in portions.
  setTimeout(() => resolve(sum), 300);
}));

// Tests, one after the other; says how many passed, and whether all did.
export async function run(tests) {
  let failed = 0;
  for (const [name, work] of tests) {
    try {
      await work();
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}\n     ${error.message}`);
    }
  }
  console.log(`${tests.length - failed} of ${tests.length} passed`);
  return failed === 0;
}
