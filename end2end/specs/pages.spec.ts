// Every page, as each kind of visitor: it renders, comes alive, passes axe, has no sideways scroll on a phone.
import { exportCoco, makeProject } from "../pages/data";
import { expect, hydrated, signInByForm, test, unique } from "../fixtures";

test("a newcomer labels the sample project within a minute", async ({ ownLimn, page, signIn, shots }) => {
  const admin = ownLimn.createUser("new@example.org", "admin");
  await signIn(page, admin, ownLimn.baseURL);
  await page.goto(`${ownLimn.baseURL}/`);
  await hydrated(page);
  await shots(page, "home-empty");
  await page.getByRole("button", { name: "Try it with sample data" }).click();
  await page.waitForURL(/\/projects\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("link", { name: /^Label/ }).first()).toBeVisible({ timeout: 30_000 });
  await page.waitForTimeout(2_000);
  await page.reload();
  await hydrated(page);
  await shots(page, "project-sample");
  await page.getByRole("link", { name: /^Label/ }).first().click();
  await expect(page.getByTestId("item-name")).not.toBeEmpty({ timeout: 15_000 });
  await shots(page, "label-sample");
});

test("every page passes axe and fits a phone", async ({ limn, admin, page, a11y, shots }) => {
  test.setTimeout(240_000);
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Tour"), { items: 6, categories: ["raccoon", "fox", "<b>bird</b>"] });
  const classes = await makeProject(api, unique("Sorting"), { task: "classification", items: 3 });
  const [first] = (await api.get(`/api/v1/projects/${project.id}/items`)).rows;
  await api.put(`/api/v1/items/${first.item.id}/annotations`, {
    change_id: "0192f0c1-2d3e-7abc-8def-0123456789b1",
    base_revision: 0,
    upserts: [{ id: "0192f0c1-2d3e-7abc-8def-0123456789b2", category_id: project.categories[0].id, kind: "box", rect: { x: 50, y: 60, w: 120, h: 90 } }],
  });
  await api.post(`/api/v1/items/${first.item.id}/submit`, { revision: 1 });
  await exportCoco(api, project.id);
  const [job] = (await api.get(`/api/v1/jobs?project_id=${project.id}`)).rows;
  await page.goto("/sign-in");
  await hydrated(page);
  await a11y(page);
  await shots(page, "sign-in");
  await signInByForm(page, admin);
  const pages: [string, string][] = [
    ["home", "/"],
    ["projects", "/projects"],
    ["project-new", "/projects/new"],
    ["project", `/projects/${project.id}`],
    ["items", `/projects/${project.id}/items`],
    ["categories", `/projects/${project.id}/categories`],
    ["members", `/projects/${project.id}/members`],
    ["instructions", `/projects/${project.id}/instructions`],
    ["settings", `/projects/${project.id}/settings`],
    ["queue", "/queue"],
    ["people", "/people"],
    ["account", "/account"],
    ["jobs", "/jobs"],
    ["job", `/jobs/${job.id}`],
    ["label-item", `/projects/${project.id}/label/${first.item.id}`],
    ["label-classes", `/projects/${classes.id}/label`],
  ];
  for (const [name, path] of pages) {
    const response = await page.goto(path);
    expect(response!.status(), path).toBe(200);
    await hydrated(page);
    await page.waitForTimeout(name.startsWith("label") ? 700 : 250);
    await a11y(page);
    await shots(page, name);
    await page.setViewportSize({ width: 390, height: 844 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, `${path} scrolls sideways on a phone`).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1440, height: 900 });
  }
});

test("a phone shows the tab that one is on", async ({ limn, admin, page, signIn }) => {
  const project = await makeProject(limn.api(admin.token), unique("Tabs"), { items: 0 });
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, admin);
  await page.goto(`/projects/${project.id}/settings`);
  await hydrated(page);
  const tab = (name: string) => page.getByRole("navigation", { name: "Project" }).getByRole("link", { name });
  await expect(tab("Settings")).toBeInViewport({ ratio: 0.95 });
  await expect(tab("Overview")).not.toBeInViewport();
});

test("a window that becomes narrow keeps its tab in view", async ({ limn, admin, page, signIn }) => {
  const project = await makeProject(limn.api(admin.token), unique("Tabs"), { items: 0 });
  await signIn(page, admin);
  await page.goto(`/projects/${project.id}/settings`);
  await hydrated(page);
  const tab = (name: string) => page.getByRole("navigation", { name: "Project" }).getByRole("link", { name });
  await expect(tab("Overview")).toBeInViewport({ ratio: 0.95 });
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(tab("Settings")).toBeInViewport({ ratio: 0.95 });
  await expect(tab("Overview")).not.toBeInViewport();
});

test("a button keeps the focus while it works, and a form is sent once", async ({ limn, admin, page, signIn }) => {
  const project = await makeProject(limn.api(admin.token), unique("Focus"), { items: 0 });
  await signIn(page, admin);
  await page.goto(`/projects/${project.id}/settings`);
  await hydrated(page);
  let sent = 0;
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await page.route("**/ui/project/update", async (route) => {
    sent += 1;
    await held;
    await route.continue();
  });
  const card = page.locator("section.card", { has: page.getByRole("heading", { name: "General" }) });
  const save = card.getByRole("button", { name: "Save" });
  await save.focus();
  await page.keyboard.press("Enter");
  await expect(save).toHaveAttribute("aria-busy", "true");
  await expect(save).toBeDisabled();
  await expect(save).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Space");
  await card.getByLabel("Name").press("Enter");
  await save.focus();
  answer();
  await expect(page.getByText("Saved.")).toBeVisible();
  await expect(save).toBeEnabled();
  await expect(save).toBeFocused();
  expect(sent).toBe(1);
});

test.describe("pages that say no", () => {
  test.use({ allowErrors: [/status of 40[34]/] });

  test("unknown addresses and foreign projects are 404, and look like it", async ({ limn, admin, page, signIn, a11y, shots }) => {
    const project = await makeProject(limn.api(admin.token), unique("Private"), { items: 0 });
    const user = limn.createUser(`${unique("out").replace(" ", ".")}@example.org`.toLowerCase(), "labeler");
    await signIn(page, user);
    for (const [name, path] of [
      ["404", "/no/such/page"],
      ["404-project", `/projects/${project.id}`],
    ]) {
      const response = await page.goto(path);
      expect(response!.status(), path).toBe(404);
      await hydrated(page);
      await a11y(page);
      await shots(page, name);
    }
  });
});

test.describe("page modules that do not come", () => {
  test.use({ allowErrors: [/Failed to (load resource|fetch)|dynamically imported module|split/] });

  test("a page says so, and loading again mends it", async ({ page, signIn, admin, a11y, shots }) => {
    await signIn(page, admin);
    await page.goto("/");
    await hydrated(page);
    const module = /\/pkg\/[^/]+\/[^/]*\.wasm/;
    await page.route(module, (route) => route.abort());
    await page.getByRole("link", { name: "People" }).first().click();
    await expect(page.getByRole("heading", { name: "This page could not be loaded" })).toBeVisible();
    await a11y(page);
    // What needs no module goes on.
    await page.getByRole("link", { name: "Data labeling" }).first().click();
    await expect(page.getByRole("heading", { name: "Projects", level: 1 })).toBeVisible();
    await page.goto("/people");
    await expect(page.getByText("This page did not load completely.")).toBeVisible();
    await expect(page.getByRole("heading", { name: "People", level: 1 })).toBeVisible();
    await page.unroute(module);
    await page.getByRole("link", { name: "Load again" }).click();
    await hydrated(page);
    await page.getByRole("link", { name: "Data labeling" }).first().click();
    await page.getByRole("link", { name: "People" }).first().click();
    await expect(page.getByRole("heading", { name: "People", level: 1 })).toBeVisible();
    await page.route(module, (route) => route.abort());
    await page.goto("/people");
    await shots(page, "page-not-complete");
  });
});

test("names with markup are text everywhere", async ({ limn, admin, page, signIn }) => {
  const api = limn.api(admin.token);
  const evil = '<img src=x onerror="document.title=1">';
  const project = await makeProject(api, `${evil} ${Date.now()}`, { items: 1, categories: [evil] });
  await api.patch(`/api/v1/projects/${project.id}`, { instructions: `# Guide\n<script>document.title=1</script>\n${evil}`, description: evil });
  await signIn(page, admin);
  for (const path of ["/", "/projects", `/projects/${project.id}`, `/projects/${project.id}/categories`, `/projects/${project.id}/instructions`, `/projects/${project.id}/label`]) {
    await page.goto(path);
    await hydrated(page);
    await page.waitForTimeout(300);
    expect(await page.title(), path).not.toBe("1");
    expect(await page.locator('img[src="x"]').count(), path).toBe(0);
  }
});
