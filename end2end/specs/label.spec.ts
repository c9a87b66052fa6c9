import { addMember, exportCoco, makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, hydrated, test, unique } from "../fixtures";

test("a labeler draws twenty boxes with mouse and keys alone, and they come out as COCO", { tag: "@both" }, async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Twenty boxes"), { items: 5 });
  const user = limn.createUser(`${unique("draw").replace(" ", ".")}@example.org`.toLowerCase(), "labeler");
  await addMember(api, limn.api(user.token), project.id, "labeler");
  await signIn(page, user);
  const label = new LabelPage(page);
  await label.open(project.id);
  const drawn: { item: string; category: string; x: number; y: number; w: number; h: number }[] = [];
  for (let item = 0; item < 5; item++) {
    const name = await label.itemName();
    for (let n = 0; n < 4; n++) {
      await page.keyboard.press(n % 2 ? "2" : "1");
      const x = 0.3 + 0.11 * n;
      await label.draw([x, 0.3 + 0.03 * item], [x + 0.08, 0.5 + 0.04 * n]);
    }
    if (item === 0) {
      await label.saved();
      await a11y(page);
      await shots(page, "label");
    }
    const boxes = await label.boxes();
    expect(boxes.map((b) => b.category).sort()).toEqual(["fox", "fox", "raccoon", "raccoon"]);
    drawn.push(...boxes.map((b) => ({ item: name, ...b })));
    await label.submit();
    if (item < 4) await expect.poll(() => label.itemName()).not.toBe(name);
  }
  await expect(page.getByText(/all done|nothing left|queue is empty|no more/i).first()).toBeVisible();
  const coco = await exportCoco(api, project.id);
  expect(coco.annotations).toHaveLength(20);
  const names = Object.fromEntries(coco.categories.map((c: any) => [c.id, c.name]));
  const files = Object.fromEntries(coco.images.map((i: any) => [i.id, i.file_name]));
  for (const want of drawn) {
    const hit = coco.annotations.find(
      (a: any) =>
        files[a.image_id] === want.item &&
        names[a.category_id] === want.category &&
        [want.x, want.y, want.w, want.h].every((v, i) => Math.abs(v - a.bbox[i]) <= 0.06),
    );
    expect(hit, JSON.stringify(want)).toBeTruthy();
  }
});

test("select, move, relabel, resize, duplicate, delete, undo: all by key, and undo survives a reload", async ({ limn, admin, page, signIn }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Editing"), { items: 1 });
  await signIn(page, admin);
  const label = new LabelPage(page);
  await label.open(project.id);
  await page.keyboard.press("1");
  await label.draw([0.4, 0.4], [0.55, 0.55]);
  const [first] = await label.boxes();
  await page.keyboard.press("v");
  if ((await page.locator('[data-testid="object"][aria-pressed="true"]').count()) === 0) await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowDown");
  await expect.poll(async () => (await label.boxes())[0]).toMatchObject({ x: first.x + 1, y: first.y + 10 });
  await page.keyboard.press("Shift+2");
  await expect.poll(async () => (await label.boxes())[0].category).toBe("fox");
  await page.keyboard.press("Control+ArrowRight");
  await expect.poll(async () => (await label.boxes())[0].w).toBeCloseTo(first.w + 1, 1);
  await page.keyboard.press("Control+d");
  await expect.poll(() => label.count()).toBe(2);
  await page.keyboard.press("Delete");
  await expect.poll(() => label.count()).toBe(1);
  await label.saved();
  await page.reload();
  await hydrated(page);
  await label.ready();
  await expect.poll(() => label.count()).toBe(1);
  await page.keyboard.press("Control+z");
  await expect.poll(() => label.count()).toBe(2);
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await expect.poll(async () => (await label.boxes())[0].category).toBe("raccoon");
  await label.saved();
});

test("two labelers never hold the same item", { tag: "@both" }, async ({ limn, admin, browser, signIn }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Two at once"), { items: 8 });
  const seen: string[][] = [];
  await Promise.all(
    [1, 2].map(async (n) => {
      const user = limn.createUser(`${unique(`pair${n}`).replace(" ", ".")}@example.org`.toLowerCase(), "labeler");
      await addMember(api, limn.api(user.token), project.id, "labeler");
      const context = await browser.newContext({ baseURL: limn.baseURL, viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      await signIn(page, user);
      const label = new LabelPage(page);
      await label.open(project.id);
      const names: string[] = [];
      seen.push(names);
      for (let i = 0; i < 8; i++) {
        if (await page.getByText(/all done|nothing left|queue is empty|no more|everything else is held/i).first().isVisible()) break;
        const name = await label.itemName();
        if (!name || names.includes(name)) break;
        names.push(name);
        await label.draw([0.42, 0.42], [0.55, 0.6]);
        await label.submit();
        await expect.poll(async () => (await page.getByTestId("item-name").innerText()) !== name || (await page.getByText(/all done|nothing left|queue is empty|no more|held/i).first().isVisible())).toBe(true);
      }
      await context.close();
    }),
  );
  const all = seen.flat();
  expect(new Set(all).size, "no item was seen twice").toBe(all.length);
  const coco = await exportCoco(api, project.id);
  expect(coco.annotations.length).toBe(all.length);
});

test.describe("losing nothing", () => {
  test.use({ allowErrors: [/ERR_|Failed to (load|fetch)|status of (401|503|502|500)|NetworkError|fetch/i] });

  test("the server is killed in the middle of labeling: every box is there afterwards", { tag: "@both" }, async ({ ownLimn, page, signIn }) => {
    test.setTimeout(120_000);
    const admin = ownLimn.createUser("admin@example.org", "admin");
    const api = ownLimn.api(admin.token);
    const project = await makeProject(api, "Killed", { items: 2 });
    await signIn(page, admin, ownLimn.baseURL);
    const label = new LabelPage(page);
    await page.goto(`${ownLimn.baseURL}/projects/${project.id}/label`);
    await hydrated(page);
    await label.ready();
    await label.draw([0.35, 0.35], [0.45, 0.5]);
    await label.saved();
    await label.draw([0.5, 0.35], [0.6, 0.5]);
    await ownLimn.kill9();
    await label.draw([0.4, 0.55], [0.5, 0.65]);
    await label.draw([0.55, 0.55], [0.65, 0.65]);
    await expect(page.getByTestId("save-state")).toContainText(/offline|saving/i);
    const before = await label.boxes();
    expect(before).toHaveLength(4);
    await ownLimn.launchAgain();
    await expect(page.getByTestId("save-state")).toHaveText("Saved", { timeout: 60_000 });
    await page.reload();
    await hydrated(page);
    await label.ready();
    await expect.poll(() => label.boxes()).toEqual(before);
    const coco = await exportCoco(api, project.id);
    expect(coco.annotations).toHaveLength(4);
  });

  test("a tab closed while offline: what was drawn is sent when it opens again", async ({ limn, admin, page, context, signIn }) => {
    const api = limn.api(admin.token);
    const project = await makeProject(api, unique("Closed tab"), { items: 1 });
    await signIn(page, admin);
    const label = new LabelPage(page);
    await label.open(project.id);
    await label.draw([0.35, 0.35], [0.45, 0.5]);
    await label.saved();
    await context.setOffline(true);
    await label.draw([0.5, 0.35], [0.6, 0.5]);
    await page.waitForTimeout(400);
    await page.close({ runBeforeUnload: false });
    await context.setOffline(false);
    const again = await context.newPage();
    const second = new LabelPage(again);
    await second.open(project.id);
    await expect.poll(() => second.count()).toBe(2);
    await second.saved();
    expect((await exportCoco(api, project.id)).annotations).toHaveLength(2);
  });

  test("a session that ends in mid-work: sign in in place, and the work is saved", async ({ limn, page, context, signIn }) => {
    const user = limn.createUser(`${unique("gone").replace(" ", ".")}@example.org`.toLowerCase(), "admin");
    const api = limn.api(user.token);
    const project = await makeProject(api, unique("Session"), { items: 1 });
    await signIn(page, user);
    const label = new LabelPage(page);
    await label.open(project.id);
    await context.clearCookies();
    await label.draw([0.5, 0.35], [0.6, 0.5]);
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Password").fill(user.password);
    await dialog.getByRole("button", { name: /sign in/i }).click();
    await label.saved();
    expect((await exportCoco(api, project.id)).annotations).toHaveLength(1);
  });

  test("a second person saves first: both sides' boxes are kept", async ({ limn, admin, page, signIn }) => {
    const api = limn.api(admin.token);
    const project = await makeProject(api, unique("Merge"), { items: 1 });
    await signIn(page, admin);
    const label = new LabelPage(page);
    await label.open(project.id);
    await label.draw([0.35, 0.35], [0.45, 0.5]);
    await label.saved();
    const [row] = (await api.get(`/api/v1/projects/${project.id}/items`)).rows;
    const now = await api.get(`/api/v1/items/${row.item.id}/annotations`);
    const theirs = {
      change_id: "0192f0c1-2d3e-7abc-8def-0123456789ab",
      base_revision: now.revision,
      upserts: [{ id: "0192f0c1-2d3e-7abc-8def-0123456789ac", category_id: project.categories[1].id, kind: "box", rect: { x: 5, y: 5, w: 30, h: 20 } }],
    };
    const outcome = await api.put(`/api/v1/items/${row.item.id}/annotations`, theirs);
    expect(outcome.result).toBe("saved");
    await label.draw([0.5, 0.55], [0.6, 0.65]);
    await label.saved();
    await expect.poll(() => label.count()).toBe(3);
    expect((await exportCoco(api, project.id)).annotations).toHaveLength(3);
  });
});
