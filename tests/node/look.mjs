// Pages in Chromium: opened so that they report what they should not do, and checked for what every page
// owes its readers.
//
// CHROMIUM names the browser; default /usr/bin/chromium.
import puppeteer from 'puppeteer-core';

export const SIZES = { desk: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } };

const failures = [];
export const fail = (where, what) => failures.push(`${where}: ${what}`);

export const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // The browser shows pages of ours; the machines that test have no user to keep it apart from.
  args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars'],
});

// Ends the process: with 1 if anything failed.
export async function end() {
  await browser.close();
  failures.forEach((failure) => console.error(failure));
  console.log(failures.length ? `${failures.length} failures` : 'the page is as it should be');
  process.exit(failures.length ? 1 : 0);
}

// A page that reports everything that it should not do. `may` says what it may ask for beside itself,
// `drops` which of it it may give up, `status` with what it may be answered.
export async function open(where, url, viewport, scheme, options = {}) {
  const { script = true, may = () => false, drops = () => false, status = 200 } = options;
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(script);
  await page.setViewport(viewport);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  page.on('console', (message) => {
    const expected = message.text().includes(`the server responded with a status of ${status}`);
    if (!expected) fail(where, `console: ${message.text()}`);
  });
  page.on('pageerror', (error) => fail(where, `error: ${error.message}`));
  page.on('requestfailed', (request) => {
    if (!drops(request.url())) fail(where, `failed: ${request.url()}`);
  });
  page.on('request', (request) => {
    const asked = request.url();
    if (asked !== url && !asked.startsWith('data:') && !may(asked)) fail(where, `asked for ${asked}`);
  });
  await page.goto(url, { waitUntil: 'networkidle0' });
  return page;
}

export async function check(where, page) {
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
