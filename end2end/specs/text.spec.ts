// Documents: spans by mouse, keys and touch, one over another; searched, taken back, reloaded, exported; classified; large.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, hydrated, test, unique } from "../fixtures";
import { finished } from "../pages/data";
import { exported, makeTextProject, TextPage } from "../pages/text";

// Emoji, a family of joined ones, a combining mark, CRLF, right to left: places count Unicode scalar values.
const LETTER =
  "😀 Ana Müller-Lu\u0308demann works for the University of Köln.\r\n👨\u200d👩\u200d👧 She was born in תל אביב and lives in Rome.\r\n<b>No markup</b> & no trouble.\r\n";

test("spans by mouse and keyboard, one over another, survive undo, reload and export", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeTextProject(api, unique("Letters"), "entities", ["PER", "LOC", "<i>ORG</i>"], {
    "letter.txt": LETTER,
    "next.txt": "Nothing here.",
  });
  await signIn(page, admin);
  const label = new TextPage(page);
  await label.open(project);
  await expect(page.getByTestId("item-name")).toHaveText("letter.txt");
  // The first category is in hand: a double click takes a word by Unicode's rules.
  await label.double_click("Ana");
  await expect.poll(() => label.spans()).toEqual(["Ana, PER 2-5"]);
  // A drag marks a stretch over it, without the blank at its end.
  await label.drag_over("Ana Müller-Lu\u0308demann ");
  await expect.poll(() => label.count()).toBe(2);
  expect(await label.spans()).toContain("Ana Müller-Lu\u0308demann, PER 2-22");
  // A key gives the selected span another category; later ones get it too.
  await page.keyboard.press("3");
  await expect.poll(() => label.spans()).toContain("Ana Müller-Lu\u0308demann, <i>ORG</i> 2-22");
  await page.keyboard.press("Control+z");
  await expect.poll(() => label.spans()).toContain("Ana Müller-Lu\u0308demann, PER 2-22");
  await page.keyboard.press("Escape");
  await page.keyboard.press("3");
  await label.drag_over("University of Köln");
  await expect.poll(() => label.spans()).toContain("University of Köln, <i>ORG</i> 37-55");
  // By the keyboard alone: the caret goes to a place, Shift chooses, a key marks.
  await page.keyboard.press("Escape");
  await label.click("born");
  await page.keyboard.press("Home");
  for (let n = 0; n < 5; n++) await page.keyboard.press("Control+ArrowRight");
  await page.keyboard.press("Shift+End");
  await expect(page.getByTestId("chosen")).toBeVisible();
  await shots(page, "text-chosen");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("chosen")).toHaveCount(0);
  await label.click("Rome");
  const at = await label.place("Rome");
  await page.mouse.click(at.x0 + 1, at.y0);
  for (let n = 0; n < 4; n++) await page.keyboard.press("Shift+ArrowRight");
  await expect(page.getByTestId("chosen")).toContainText("Rome");
  await page.keyboard.press("2");
  await expect.poll(() => label.spans()).toContain("Rome, LOC 101-105");
  // Its end moves by whole characters, and back.
  await page.keyboard.press("Alt+ArrowLeft");
  await expect.poll(() => label.spans()).toContain("Rom, LOC 101-104");
  await page.keyboard.press("Alt+ArrowRight");
  await expect.poll(() => label.spans()).toContain("Rome, LOC 101-105");
  // Right to left.
  await label.drag_over("תל אביב").catch(() => {});
  await expect.poll(() => label.count()).toBe(5);
  await label.saved();
  // One over another: the first click takes the shortest, the next the longer one.
  await label.click("Ana");
  await expect(page.getByTestId("selected-title")).toHaveText("PER 1");
  await label.click("Ana");
  await expect(page.getByTestId("selected-title")).toHaveText("PER 2");
  await page.keyboard.press("Tab");
  await expect(page.getByTestId("selected-title")).toHaveText("PER 1");
  await a11y(page);
  await shots(page, "text-spans");
  await page.setViewportSize({ width: 1440, height: 900 });
  // Nothing of the text or of a name became markup.
  expect(await page.locator(".label-text__page b, .label-text__page i, .label i i").count()).toBe(0);
  expect(await label.document.evaluate((e) => e.textContent)).toBe(LETTER);
  // A relation: from the selected span to the next one that is clicked.
  await label.click("Rome");
  await page.keyboard.press("Alt+r");
  await expect(page.getByText("Pick the span that it relates to")).toBeVisible();
  await label.click("University");
  await expect(page.getByTestId("relation")).toHaveCount(1);
  // Delete, take back, all over a reload.
  const before = await label.spans();
  await page.keyboard.press("Delete");
  await expect.poll(() => label.count()).toBe(4);
  await label.saved();
  await page.reload();
  await hydrated(page);
  await label.ready();
  await expect.poll(() => label.count()).toBe(4);
  await page.keyboard.press("Control+z");
  await expect.poll(() => label.spans()).toEqual(before);
  await label.saved();
  // Searched, and marked everywhere at once.
  await page.keyboard.press("Control+f");
  await page.getByLabel("Find in the text").fill("no");
  await expect(page.getByText("2 found")).toBeVisible();
  await page.getByLabel("Find in the text").press("Enter");
  await expect(page.locator(".label-text__count")).toHaveText("1 of 2");
  await page.getByRole("button", { name: /Mark all as/ }).click();
  await expect.poll(() => label.count()).toBe(7);
  await page.getByRole("button", { name: /Close the search/ }).click();
  await page.keyboard.press("Control+z");
  await expect.poll(() => label.count()).toBe(5);
  await label.saved();
  await label.submit();
  await expect(page.getByTestId("item-name")).toHaveText("next.txt");
  await expect.poll(async () => (await api.get(`/api/v1/projects/${project}`)).progress.done).toBe(1);

  const files = await exported(api, project, "jsonl");
  const [first] = files["documents.jsonl"].trim().split("\n").map((l) => JSON.parse(l));
  expect(first.text).toBe(LETTER);
  const scalars = [...first.text];
  const quotes = first.spans.map((s: any) => `${scalars.slice(s.start, s.end).join("")}:${s.label}`);
  expect(quotes).toEqual([
    "Ana:PER",
    "Ana Müller-Lu\u0308demann:PER",
    "University of Köln:<i>ORG</i>",
    expect.stringContaining("תל"),
    "Rome:LOC",
  ]);
  const [org, rome] = ["University of Köln", "Rome"].map((q) => first.spans.find((s: any) => scalars.slice(s.start, s.end).join("") === q));
  expect(rome.relations).toEqual([{ to: org.id }]);
  const conll = (await exported(api, project, "conll"))["entities.conll"];
  expect(conll).toContain("Ana B-PER\nMüller I-PER\n- I-PER\nLu\u0308demann I-PER\nworks O");
  expect((await exported(api, project, "spacy"))["entities.jsonl"]).toContain('[101,105,"LOC"]');
});

test("a phone chooses by touch and marks with the bar", async ({ limn, admin, browser, signIn, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeTextProject(api, unique("Touch"), "entities", ["PER", "LOC"], { "a.txt": LETTER });
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, baseURL: limn.baseURL });
  const page = await context.newPage();
  await signIn(page, admin);
  const label = new TextPage(page);
  await label.open(project);
  await expect(page.getByTestId("chosen")).toHaveCount(0);
  // What a long press does: the browser chooses a word.
  const at = await label.place("Rome");
  await page.touchscreen.tap((at.x0 + at.x1) / 2, at.y0);
  await label.document.evaluate((root) => {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const i = node.textContent!.indexOf("Rome");
      if (i >= 0) getSelection()!.setBaseAndExtent(node, i, node, i + 4);
    }
  });
  await expect(page.getByTestId("chosen")).toContainText("Rome");
  await shots(page, "text-touch");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByTestId("chosen").getByRole("button", { name: "LOC" }).tap();
  await expect(page.getByTestId("chosen")).toHaveCount(0);
  await label.saved();
  const [row] = (await api.get(`/api/v1/projects/${project}/items`)).rows;
  expect(row.annotations.map((a: any) => [a.kind, a.start, a.end])).toEqual([["span", 101, 105]]);
  await context.close();
});

test("documents are classified by key, submitted, and come out as CSV", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeTextProject(api, unique("Reviews"), "text_classification", ["good", "bad"], {
    "1.txt": "Wonderful, would buy again.\n",
    "2.txt": "=HYPERLINK(\"x\") broke after a day, \"again\"",
    "3.txt": "شكرا جزيلا\nThanks",
  });
  await signIn(page, admin);
  const label = new TextPage(page);
  await label.open(project);
  await page.keyboard.press("1");
  await expect(page.getByRole("button", { name: /good/ })).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("2");
  await expect(page.getByRole("button", { name: /good/ })).toHaveAttribute("aria-pressed", "false");
  await page.keyboard.press("1");
  await a11y(page);
  await shots(page, "text-class");
  await page.setViewportSize({ width: 1440, height: 900 });
  await label.submit();
  await expect(page.getByTestId("item-name")).toHaveText("2.txt");
  await page.getByLabel("Submit as soon as I pick").check();
  await page.keyboard.press("2");
  await expect(page.getByTestId("item-name")).toHaveText("3.txt");
  await page.keyboard.press("1");
  await expect(page.getByText("Nothing left in the queue")).toBeVisible();
  await expect.poll(async () => (await api.get(`/api/v1/projects/${project}`)).progress.done).toBe(3);
  const csv = (await exported(api, project, "csv"))["labels.csv"];
  expect(csv).toBe(
    'id,name,text,label\n1,1.txt,"Wonderful, would buy again.\n",good\n2,2.txt,"=HYPERLINK(""x"") broke after a day, ""again""",bad\n3,3.txt,"شكرا جزيلا\nThanks",good\n',
  );
  // The list shows how they begin.
  await page.goto(`/projects/${project}/items`);
  await hydrated(page);
  await expect(page.getByText("Wonderful, would buy again.")).toBeVisible();
  await a11y(page);
  await shots(page, "text-items");
});

test.describe("files", () => {
  test.use({ allowErrors: [/status of 415/] });

  test("a project of documents is made, files are uploaded and a table imported by its columns", async ({ limn, admin, page, signIn, a11y, shots }) => {
    const api = limn.api(admin.token);
    const dir = mkdtempSync(join(tmpdir(), "limn-text-"));
    writeFileSync(join(dir, "a.txt"), LETTER);
    writeFileSync(join(dir, "utf16.txt"), Buffer.from("\ufeffGrüße 😀", "utf16le"));
    writeFileSync(join(dir, "latin1.txt"), Buffer.from("one\nK\xf6ln", "latin1"));
    writeFileSync(join(dir, "table.csv"), 'nr;Review;mood\n1;"good; ""really""\nyes";pos\n2;bad\n3;fine;neg\n');
    await signIn(page, admin);
    await page.goto("/projects/new");
    await hydrated(page);
    await page.getByLabel("Name").first().fill(unique("Mail"));
    await page.getByRole("radio", { name: /^Multi-label text classification/ }).check();
    await shots(page, "text-new");
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.getByRole("button", { name: /next|continue/i }).click();
    await page.getByLabel("Category name").first().fill("pos");
    await page.getByRole("button", { name: /next|continue/i }).click();
    await page.getByRole("button", { name: /next|continue|skip/i }).first().click();
    await page.getByRole("button", { name: /create/i }).click();
    await page.waitForURL(/\/projects\/[0-9a-f-]{36}/);
    const id = /projects\/([0-9a-f-]{36})/.exec(page.url())![1];
    await page.goto(`/projects/${id}`);
    await hydrated(page);
    await page.getByRole("button", { name: "Upload documents" }).first().click();
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Choose files" }).first().click();
    await (await chooser).setFiles(["a.txt", "utf16.txt", "latin1.txt"].map((f) => join(dir, f)));
    // The one in another encoding is named with its place, the rest comes in.
    await expect(page.getByText(/line 2, byte 6, is not UTF-8/)).toBeVisible();
    await expect.poll(async () => (await api.get(`/api/v1/projects/${id}`)).progress.total).toBe(2);
    const rows = (await api.get(`/api/v1/projects/${id}/items`)).rows;
    const text = await api.raw("GET", `/media/items/${rows.find((r: any) => r.item.name === "utf16.txt").item.id}/text`);
    expect(await text.text()).toBe("Grüße 😀");
    expect(text.headers.get("content-type")).toBe("text/plain; charset=utf-8");

    await page.reload();
    await hydrated(page);
    await page.getByRole("button", { name: "Import" }).first().click();
    const dialog = page.getByRole("dialog", { name: "Import labels" });
    const picker = page.waitForEvent("filechooser");
    await dialog.getByRole("button", { name: "Choose files" }).click();
    await (await picker).setFiles(join(dir, "table.csv"));
    await expect(dialog.getByRole("columnheader", { name: "Review" })).toBeVisible();
    await dialog.getByLabel("Text", { exact: true }).selectOption("Review");
    await dialog.getByLabel("Label", { exact: true }).selectOption("mood");
    await dialog.getByLabel("Id", { exact: true }).selectOption("nr");
    await a11y(page);
    await shots(page, "text-columns");
    await page.setViewportSize({ width: 1280, height: 900 });
    await dialog.getByRole("button", { name: "Import", exact: true }).click();
    await expect(dialog.getByText("items added")).toBeVisible();
    await expect(dialog.getByText("Some records were refused")).toBeVisible();
    const after = (await api.get(`/api/v1/projects/${id}/items`)).rows;
    expect(after.map((r: any) => r.item.name).sort()).toEqual(["a.txt", "table/1.txt", "table/3.txt", "utf16.txt"]);
    expect(after.find((r: any) => r.item.name === "table/3.txt").item.excerpt).toBe("fine");
  });
});

test("a megabyte with 2,000 spans opens fast and scrolls like a page", async ({ limn, admin, page, signIn }) => {
  test.setTimeout(120_000);
  const api = limn.api(admin.token);
  const line = "Ana Müller met Bob Stone in Köln 😀 and wrote a long letter about it, as she always did.\n";
  const bytes = new TextEncoder().encode(line).length;
  const lines = Math.floor((1 << 20) / bytes);
  const project = await makeTextProject(api, unique("Large"), "entities", ["PER", "LOC"], { "large.txt": line.repeat(lines) });
  const [row] = (await api.get(`/api/v1/projects/${project}/items`)).rows;
  const categories = await api.get(`/api/v1/projects/${project}/categories`);
  const scalars = [...line].length;
  const upserts = Array.from({ length: 2_000 }, (_, n) => {
    const start = Math.floor(n / 2) * Math.floor(lines / 1_000) * scalars + (n % 2 ? 15 : 0);
    return { id: crypto.randomUUID(), category_id: categories[n % 2].id, kind: "span", start, end: start + (n % 2 ? 9 : 10), z: n };
  });
  await api.put(`/api/v1/items/${row.item.id}/annotations`, { change_id: crypto.randomUUID(), base_revision: 0, upserts });
  await signIn(page, admin);
  const label = new TextPage(page);
  await page.goto(`/projects/${project}`);
  await hydrated(page);
  const began = Date.now();
  await label.open(project);
  await expect(page.locator(".label-text__mark").first()).toBeVisible();
  const opened = Date.now() - began;
  expect(await label.count()).toBe(2_000);
  // Frames while the wheel turns, and the longest piece of work in one.
  const measured = await page.evaluate(async () => {
    const area = document.querySelector(".label-text__scroll")!;
    const long: number[] = [];
    const observer = new PerformanceObserver((l) => long.push(...l.getEntries().map((e) => e.duration)));
    observer.observe({ type: "longtask" });
    const frames: number[] = [];
    let last = performance.now();
    for (let n = 0; n < 120; n++) {
      area.scrollTop += n < 60 ? 400 : 20_000;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      frames.push(now - last);
      last = now;
    }
    observer.disconnect();
    frames.sort((a, b) => a - b);
    return { median: frames[60], p95: frames[113], worst: frames[119], long: Math.max(0, ...long), blocks: document.querySelectorAll(".label-text__block").length };
  });
  // A span more: only its block is made anew.
  const marking = await page.evaluate(async () => {
    document.querySelector(".label-text__scroll")!.scrollTop = 0;
    await new Promise(requestAnimationFrame);
    const word = document.querySelector(".label-text__block")!;
    const began = performance.now();
    (word as HTMLElement).dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
    await new Promise(requestAnimationFrame);
    return performance.now() - began;
  });
  const start = Date.now();
  await label.double_click("letter");
  await expect.poll(() => label.count()).toBe(2_001);
  const marked = Date.now() - start;
  console.log("large document:", JSON.stringify({ opened, marked, marking, ...measured }));
  expect(opened).toBeLessThan(8_000);
  expect(measured.median).toBeLessThan(40);
  await label.saved();
  // To its very end, by the keyboard.
  await page.keyboard.press("Escape");
  await label.click("Ana", 1);
  await page.keyboard.press("Control+End");
  await expect.poll(() => page.locator(".label-text__scroll").evaluate((e) => e.scrollTop + e.clientHeight > e.scrollHeight - 2_000)).toBe(true);
});
