"""What is wrong with pages, as a reader would find: python3 look.py PROGRAM FILE... prints a line for each problem.

Each page is opened on a phone, light, and on a screen, dark; with BROWSER_ALL at three widths, light and dark each. Told is
what it fetches, what the browser complains about, what stands over the edge or over something else, what cannot be read for
lack of contrast, what has no name for those who do not see it. With SHOTS=FOLDER pictures are left there.
"""
import os
import sys

from chromium import Chromium

LOOKS = [(width, scheme) for width in (360, 768, 1280) for scheme in ("light", "dark")]
if not os.environ.get("BROWSER_ALL"):
    LOOKS = [(360, "light"), (1280, "dark")]

CONTRAST = """
(() => {
    const part = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const rgb = c => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    const light = c => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
    const clear = c => c.length > 3 && c[3] === 0;
    const behind = e => {
        const box = e.closest("svg.box"), bar = e.previousElementSibling;
        if (e.matches("text.inside")) return rgb(getComputedStyle(bar).fill);
        if (box) return rgb(getComputedStyle(box.querySelector(".frame")).fill);
        for (; e; e = e.parentElement) {
            const c = rgb(getComputedStyle(e).backgroundColor);
            if (!clear(c)) return c;
        }
        return [255, 255, 255];
    };
    const poor = {}, walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const e = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || !e.getClientRects().length || e.matches("title, desc") || e.matches(".skip")) continue;
        const s = getComputedStyle(e), size = parseFloat(s.fontSize);
        const a = light(rgb(e.ownerSVGElement ? s.fill : s.color)), b = light(behind(e));
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const least = size >= 24 || (size >= 18.66 && s.fontWeight >= 700) ? 3 : 4.5;
        if (ratio < least) poor[e.tagName + "." + (e.getAttribute("class") || "") + " " + ratio.toFixed(2)] = 1;
    }
    return Object.keys(poor);
})()"""

# Letters of a row that run into each other, or over the edge of their box.
CROWDED = """
(() => {
    const found = [], shown = e => e.getClientRects().length && e.getBoundingClientRect().width;
    for (const svg of document.querySelectorAll(".plot > svg")) {
        const times = [...svg.querySelectorAll(":scope > .time")].filter(shown).map(e => e.getBoundingClientRect());
        times.forEach((r, i) => { if (i && r.left < times[i - 1].right + 2) found.push("times of an axis touch"); });
    }
    for (const g of document.querySelectorAll(".box g")) {
        const columns = g.querySelector(".columns"), rows = g.querySelector(".rows");
        if (shown(columns) && columns.getBoundingClientRect().right > rows.getBoundingClientRect().left) found.push("columns run into rows: " + columns.textContent);
    }
    for (const name of document.querySelectorAll(".box .name"))
        if (shown(name) && name.getBBox().x + name.getBBox().width > 244) found.push("a name over its box: " + name.textContent);
    for (const dd of document.querySelectorAll(".figures dd"))
        if (dd.scrollWidth > dd.clientWidth + 1) found.push("a figure over its box: " + dd.textContent);
    return found;
})()"""

OUTLINE = """
(() => {
    const found = [], levels = [...document.querySelectorAll("h1, h2, h3")].map(h => +h.tagName[1]);
    levels.forEach((l, i) => { if (l > (i ? levels[i - 1] : 0) + 1) found.push("headings skip a level"); });
    if (levels.filter(l => l === 1).length !== 1) found.push("not one h1");
    for (const t of ["main", "nav", "header", "footer"]) if (document.querySelectorAll(t).length !== 1) found.push("not one " + t);
    for (const r of document.querySelectorAll("[tabindex]")) if (!r.getAttribute("aria-label")) found.push("a place to scroll has no name");
    for (const th of document.querySelectorAll("th")) if (!th.scope) found.push("a heading of a table without scope");
    if (document.scripts.length) found.push("there is a script");
    if (document.documentElement.lang !== "en") found.push("no language");
    for (const p of document.querySelectorAll(".data path"))
        if (!/^M[\\d.]+ [\\d.]+[VLh]/.test(p.getAttribute("d")) || /NaN|inf/.test(p.getAttribute("d"))) found.push("a chart has no data: " + p.getAttribute("class"));
    return found;
})()"""

PRINTED = """
(() => {
    const found = [];
    for (const pre of document.querySelectorAll(".sql pre")) if (!pre.getBoundingClientRect().height) found.push("SQL that is not printed");
    if (document.querySelector("nav").getClientRects().length) found.push("contents are printed");
    for (const e of document.querySelectorAll(".numbers .scroll")) if (e.getBoundingClientRect().height) found.push("numbers are printed");
    return found.slice(0, 3);
})()"""


def nameless(page):
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    return sum(1 for n in nodes if n.get("role", {}).get("value") in ("image", "img", "region", "link", "table", "navigation")
               and not n.get("ignored") and not n.get("name", {}).get("value") and n["role"]["value"] != "table")


def look(page, file, width, scheme):
    url = "file://" + os.path.abspath(file)
    page.requests.clear()
    page.complaints.clear()
    page.size(width, 900)
    page.media("screen", scheme)
    page.open(url)
    yield from ("it fetched " + r for r in page.requests if r != url and not r.startswith("data:"))
    if page.ask("document.documentElement.scrollWidth") > width:
        yield "it is wider than the window"
    page.ask("document.querySelectorAll('details').forEach(d => { d.open = true })")
    yield from page.ask(CROWDED)
    yield from ("poor contrast: " + p for p in page.ask(CONTRAST))
    if os.environ.get("SHOTS"):
        height = page.ask("document.documentElement.scrollHeight")
        name = "%s/%s-%d-%s.png" % (os.environ["SHOTS"], os.path.basename(file), width, scheme)
        page.picture(name, {"x": 0, "y": 0, "width": width, "height": height})
    if (width, scheme) in (LOOKS[0], LOOKS[-1]):
        if page.ask("document.documentElement.scrollWidth") > width:
            yield "unfolded it is wider than the window"
        yield from page.ask(OUTLINE)
        if nameless(page):
            yield "%d pictures or places have no name" % nameless(page)
        page.ask("document.querySelectorAll('details').forEach(d => { d.open = false })")
        page.media("print", scheme)
        yield from page.ask(PRINTED)
    yield from page.complaints


def main():
    with Chromium(sys.argv[1]) as page:
        for file in sys.argv[2:]:
            for width, scheme in LOOKS:
                for problem in look(page, file, width, scheme):
                    print("%s at %d, %s: %s" % (os.path.basename(file), width, scheme, problem))


main()
