// Looks at the page in Chromium: as a file and as it is served, in both colour schemes, on a desk and
// on a phone, with and without its script, and on paper.
//
//   node page.mjs SCREENSHOTS URL|FILE..
//
// CHROMIUM names the browser; default /usr/bin/chromium.
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import puppeteer from 'puppeteer-core';

const [screenshots, ...pages] = process.argv.slice(2);
const urls = pages.map((page) => (page.includes('://') ? page : pathToFileURL(page).href));
if (!urls.length) {
  console.error('usage: page.mjs SCREENSHOTS URL|FILE..');
  process.exit(2);
}
const failures = [];
const fail = (where, what) => failures.push(`${where}: ${what}`);

const SIZES = { desk: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } };

await mkdir(screenshots, { recursive: true });
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // The browser shows one page of ours; the machines that test have no user to keep it apart from.
  args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars'],
});
for (const url of urls) {
  const served = new URL(url).protocol === 'http:';
  const kind = served ? 'served' : basename(url, '.html');
  for (const scheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      const where = `${kind}-${scheme}-${size}`;
      const page = await open(where, url, viewport, scheme);
      await check(where, page);
      await page.screenshot({ path: join(screenshots, `${where}.png`), fullPage: true });
      await page.close();
    }
  }
  await interact(kind, url, served);
  await without_script(kind, url);
  await print(kind, url);
}
await browser.close();
failures.forEach((failure) => console.error(failure));
console.log(failures.length ? `${failures.length} failures` : 'the page is as it should be');
process.exit(failures.length ? 1 : 0);

// A page that reports everything that it should not do.
async function open(where, url, viewport, scheme, script = true) {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(script);
  await page.setViewport(viewport);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  page.on('console', (message) => fail(where, `console: ${message.text()}`));
  page.on('pageerror', (error) => fail(where, `error: ${error.message}`));
  page.on('requestfailed', (request) => fail(where, `failed: ${request.url()}`));
  page.on('request', (request) => {
    const asked = request.url();
    if (asked !== url && !asked.startsWith('data:')) fail(where, `asked for ${asked}`);
  });
  await page.goto(url, { waitUntil: 'networkidle0' });
  return page;
}

async function check(where, page) {
  const found = await page.evaluate(() => {
    const wrong = [];
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) {
      const wide = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth);
      wrong.push(`${root.scrollWidth} px wide on ${innerWidth}: ${wide.map((e) => e.tagName + '.' + e.className).slice(0, 5)}`);
    }
    for (const pre of document.querySelectorAll('pre')) {
      if (pre.scrollWidth > pre.clientWidth) wrong.push('a code block scrolls sideways');
    }
    const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
    const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
    if (twice.length) wrong.push(`ids that are there twice: ${twice}`);
    for (const link of document.querySelectorAll('a[href^="#"]')) {
      const id = decodeURIComponent(link.getAttribute('href').slice(1));
      if (!document.getElementById(id)) wrong.push(`#${id} leads nowhere`);
    }
    // Contrast, by WCAG 2.2, 1.4.3: 4.5 to 1, for large letters 3 to 1.
    const channel = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const parse = (color) => color.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
    const over = ([r, g, b, a = 1], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
    const behind = (element) => {
      if (!element) return parse(getComputedStyle(root).colorScheme === 'dark' ? 'rgb(0,0,0)' : 'rgb(255,255,255)');
      const color = parse(getComputedStyle(element).backgroundColor);
      return color[3] === 0 ? behind(element.parentElement) : over(color, behind(element.parentElement));
    };
    const opacity = (element) => (element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      const seen = opacity(element);
      // What shows only under the pointer or the focus is no text to read.
      if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.matches('script, style, .anchor')) continue;
      const style = getComputedStyle(element);
      const back = behind(element);
      const [r, g, b, a = 1] = parse(style.color);
      const front = over([r, g, b, a * seen], back);
      const [high, low] = [light(front), light(back)].sort((x, y) => y - x);
      const ratio = (high + 0.05) / (low + 0.05);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)} of "${texts.currentNode.data.trim().slice(0, 30)}"`);
    }
    return wrong;
  });
  [...new Set(found)].forEach((what) => fail(where, what));
}

// By keyboard alone: the first stop skips the contents, everything that acts can be reached, and what
// has the focus shows it. Copying copies.
async function interact(kind, url, served) {
  const where = `${kind}-keyboard`;
  const page = await open(where, url, SIZES.desk, 'light');
  const permissions = ['clipboard-read', 'clipboard-write', 'clipboard-sanitized-write'];
  if (served) await browser.defaultBrowserContext().overridePermissions(new URL(url).origin, permissions);
  await page.keyboard.press('Tab');
  const first = await page.evaluate(() => [document.activeElement.className, document.activeElement.getBoundingClientRect().left]);
  if (first[0] !== 'skip' || first[1] < 0) fail(where, `the first stop is ${first}`);
  await page.keyboard.press('Enter');
  if (!page.url().endsWith('#content')) fail(where, 'the skip link does not skip');
  const wanted = await page.evaluate(() => [...document.querySelectorAll('a, button, summary')].filter((e) => e.checkVisibility()).length);
  const seen = await page.evaluate(() => { window.seen = new Set(); document.activeElement.blur(); return 0; });
  await page.evaluate(() => scrollTo(0, 0));
  await page.goto(url);
  await page.evaluate(() => { window.reached = new Set(); });
  let hidden = '';
  for (let i = seen; i < wanted + 40; i += 1) {
    await page.keyboard.press('Tab');
    hidden ||= await page.evaluate(() => {
      const element = document.activeElement;
      if (element.matches('a, button, summary')) window.reached.add(element);
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const shows = element === document.body || (outlineStyle !== 'none' && outlineWidth !== '0px');
      return shows ? '' : element.outerHTML.slice(0, 80);
    });
  }
  const reached = await page.evaluate(() => window.reached.size);
  if (hidden) fail(where, `has the focus and does not show it: ${hidden}`);
  if (reached < wanted) fail(where, `${reached} of ${wanted} links and buttons are reached`);
  const button = await page.$('button[data-copy]');
  if (button && served) {
    await button.focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction((b) => b.textContent === 'Copied', { timeout: 5000 }, button);
    const [copied, shown] = await page.evaluate(async (b) => [await navigator.clipboard.readText(), b.parentElement.querySelector('code').textContent], button);
    if (copied !== shown) fail(where, 'what is copied is not what is shown');
    JSON.parse(copied);
  }
  await page.close();
}

// Everything is there to read without the script; the buttons are not.
async function without_script(kind, url) {
  const where = `${kind}-no-script`;
  const page = await open(where, url, SIZES.desk, 'light', false);
  const [text, buttons] = await page.evaluate(() => [
    document.querySelector('main').innerText.length,
    [...document.querySelectorAll('button')].filter((b) => b.checkVisibility()).length,
  ]);
  if (text < 300) fail(where, `only ${text} letters to read`);
  if (buttons) fail(where, `${buttons} buttons that do nothing`);
  await page.close();
}

// On paper: no contents, no buttons, and the schemas unfolded.
async function print(kind, url) {
  const where = `${kind}-print`;
  const page = await open(where, url, { width: 794, height: 1123 }, 'dark');
  await page.emulateMediaType('print');
  const [shown, background] = await page.evaluate(() => [
    [...document.querySelectorAll('nav, button, .skip')].filter((e) => e.checkVisibility()).length,
    getComputedStyle(document.body).backgroundColor,
  ]);
  if (shown) fail(where, `${shown} things on paper that are of no use there`);
  if (background !== 'rgb(255, 255, 255)') fail(where, `the paper is ${background}`);
  await page.pdf({ path: join(screenshots, `${where}.pdf`), format: 'A4' });
  await page.screenshot({ path: join(screenshots, `${where}.png`), fullPage: true });
  await page.close();
}
