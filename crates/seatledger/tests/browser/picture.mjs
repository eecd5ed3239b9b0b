// Takes the pictures of the manual of the running demo: node picture.mjs ADDRESS FOLDER
import { launch } from "./browser.mjs";

const [address, folder] = process.argv.slice(2);
const PICTURES = [["dashboard-now", "/?open=Signal_Toolbox"], ["dashboard-feature", "/feature?code=anshpc"]];
const browser = await launch();
const first = await browser.newPage();
await first.goto(address);
// The company's present has begun.
await first.waitForFunction(() => document.querySelector("[data-key=as-of]")?.textContent.includes("2026-01-13"));
for (const colorScheme of ["light", "dark"]) {
  const page = await browser.newPage({ colorScheme, locale: "en-GB", viewport: { width: 1280, height: 800 } });
  for (const [name, path] of PICTURES) {
    await page.goto(address + path, { waitUntil: "networkidle" });
    await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png` });
  }
}
await browser.close();
