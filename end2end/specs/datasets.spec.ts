import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Api, expect, hydrated, test, unique } from "../fixtures";
import { finished, makeProject } from "../pages/data";

/** Draws a box on the item of a place and submits it. */
async function label(api: Api, project: string, category: string, place: number, x = 40): Promise<void> {
  const items = (await api.get(`/api/v1/projects/${project}/items`)).rows;
  const item = items[place].item;
  const now = await api.get(`/api/v1/items/${item.id}/annotations`);
  const saved = await api.put(`/api/v1/items/${item.id}/annotations`, {
    change_id: crypto.randomUUID(),
    base_revision: now.revision,
    removes: now.annotations.map((a: any) => a.id),
    upserts: [{ id: crypto.randomUUID(), category_id: category, kind: "box", rect: { x, y: 30, w: 90, h: 70 } }],
  });
  await api.post(`/api/v1/items/${item.id}/submit`, { revision: saved.revision });
}

// A toast that is just appearing is too pale for a moment.
const toasts = { exclude: [".toast"] };

async function bytes(api: Api, version: string): Promise<string> {
  const job = await finished(api, await api.post(`/api/v1/versions/${version}/exports`, { format: "coco" }));
  return (await api.raw("GET", job.result.url)).text();
}

test("a project is frozen, grows, is frozen again, compared, split, named, exported, labeled anew", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Raccoons"), { items: 4 });
  await label(api, project.id, project.categories[0].id, 0);
  await label(api, project.id, project.categories[1].id, 1);
  await signIn(page, admin);

  // From the project's page to a dataset with its first version.
  await page.goto("/data");
  await hydrated(page);
  await a11y(page, toasts);
  await page.goto(`/projects/${project.id}`);
  await hydrated(page);
  await page.getByRole("link", { name: "Register a dataset version" }).first().click();
  await page.waitForURL(/\/data\/new/);
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue(project.name);
  const name = unique("Forest cameras");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Description").fill("# Cameras\n\nNights of **May**.");
  await page.getByLabel("Tags").fill("night, forest");
  await page.getByLabel("Licence").fill("CC-BY-4.0");
  await expect(page.getByLabel("Project", { exact: true })).toHaveValue(project.id);
  await a11y(page, toasts);
  await shots(page, "data-new");
  await page.getByRole("button", { name: "Create and register" }).click();
  await page.waitForURL(/\/data\/[0-9a-f-]{36}$/);
  const id = /data\/([0-9a-f-]{36})/.exec(page.url())![1];
  await expect(page.getByRole("link", { name: "Version 1", exact: true })).toBeVisible();
  const versions = async () => api.get(`/api/v1/datasets/${id}/versions`);
  const [one] = await versions();
  expect([one.number, one.files, one.counts.labels]).toEqual([1, 2, 2]);
  const first = await bytes(api, one.id);

  // The same again makes no new version.
  const dialog = page.getByRole("dialog");
  const register = async () => {
    await page.getByRole("button", { name: "Register a version", exact: true }).first().click();
    await dialog.getByLabel("Project", { exact: true }).selectOption(project.id);
    await dialog.getByRole("button", { name: "Register", exact: true }).click();
  };
  await register();
  await expect(dialog.getByText(/Nothing has changed: version 1/)).toBeVisible({ timeout: 30_000 });
  await dialog.getByRole("button", { name: "Done" }).click();

  // More labels, and one changed: version 2.
  await label(api, project.id, project.categories[0].id, 2);
  await label(api, project.id, project.categories[0].id, 0, 60);
  await register();
  await expect(dialog.getByText("Version 2 holds 3 files.")).toBeVisible({ timeout: 30_000 });
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("link", { name: "Version 2", exact: true })).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "data-versions");

  await page.getByRole("link", { name: "Compare" }).click();
  await expect(page.getByText("Labels changed").first()).toBeVisible();
  const row = (text: string) => page.getByRole("row").filter({ hasText: text });
  await expect(row("photo 3.png")).toContainText("Added");
  await expect(row("photo 1.png")).toContainText("Labels changed");
  await a11y(page, toasts);
  await shots(page, "data-compare");

  // Splits are a version too.
  await page.getByRole("link", { name: "Versions" }).click();
  const act = async (version: number, what: string) => {
    await page.getByRole("button", { name: `Actions of version ${version}` }).click();
    await page.getByRole("menuitem", { name: what }).click();
  };
  await act(2, "Make splits");
  await dialog.getByLabel("Train, %").fill("60");
  await expect(dialog.getByText("Together 80 %")).toBeVisible();
  await dialog.getByLabel("Validation, %").fill("30");
  await shots(page, "data-splits");
  await dialog.getByRole("button", { name: "Make a version with splits" }).click();
  await expect(dialog.getByText("Version 3 holds 3 files.")).toBeVisible({ timeout: 30_000 });
  await dialog.getByRole("button", { name: "Close" }).last().click();

  // An alias, and its move.
  await act(1, "Aliases");
  await dialog.getByLabel("Alias", { exact: true }).fill("production");
  await dialog.getByRole("button", { name: "Point to version 1" }).click();
  await expect(dialog.getByRole("button", { name: "Remove production" })).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await act(3, "Aliases");
  await dialog.getByLabel("Alias", { exact: true }).fill("production");
  await dialog.getByRole("button", { name: "Point to version 3" }).click();
  await expect(dialog.getByRole("button", { name: "Remove production" })).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  expect((await versions()).map((v: any) => v.aliases)).toEqual([["latest", "production"], [], []]);
  await expect(page.getByText("Aliases over time")).toBeVisible();
  expect((await api.get(`/api/v1/datasets/${id}/alias-moves`)).map((m: any) => m.number)).toEqual([3, 1]);

  // Version 1 is what it was, whatever became of the project.
  await act(1, "Export");
  await dialog.getByRole("button", { name: "Export", exact: true }).click();
  const download = page.waitForEvent("download");
  await dialog.getByRole("link", { name: "Download" }).click({ timeout: 30_000 });
  expect(readFileSync(await (await download).path(), "utf8")).toBe(first);
  await dialog.getByRole("button", { name: "Close" }).last().click();

  // The files, with their labels drawn.
  await page.getByRole("link", { name: "Files", exact: true }).click();
  await expect(page.getByRole("list", { name: "Files" }).getByRole("listitem")).toHaveCount(3);
  await page.getByLabel("Category", { exact: true }).selectOption("fox");
  await expect(page.getByRole("list", { name: "Files" }).getByRole("listitem")).toHaveCount(1);
  await page.getByLabel("Category", { exact: true }).selectOption("");
  await expect(page.locator(".thumb__marks path").first()).toBeAttached();
  await a11y(page, toasts);
  await shots(page, "data-files");

  // A labeling project of version 1.
  await page.getByRole("link", { name: "Versions" }).click();
  await act(1, "New labeling project");
  const again = unique("Second look");
  await dialog.getByLabel("Name of the project").fill(again);
  await dialog.getByRole("button", { name: "Create the project" }).click();
  await page.waitForURL(/\/projects\/[0-9a-f-]{36}/);
  const made = /projects\/([0-9a-f-]{36})/.exec(page.url())![1];
  await expect.poll(async () => (await api.get(`/api/v1/projects/${made}`)).progress.done, { timeout: 30_000 }).toBe(2);

  await page.goto(`/data/${id}/lineage`);
  await hydrated(page);
  for (const text of [project.name, again, `${name} v2`]) await expect(page.getByRole("table").getByText(text).first()).toBeVisible();
  await expect(page.locator(".lineage__node")).toHaveCount(5);
  await a11y(page, toasts);
  await shots(page, "data-lineage");

  await page.getByRole("link", { name: "Consume" }).click();
  await expect(page.locator(".data-code").first()).toContainText((await versions())[0].digest);
  await a11y(page, toasts);
  await shots(page, "data-consume");

  // Version 1 is in use; version 3 has an alias.
  await page.getByRole("link", { name: "Versions" }).click();
  await act(3, "Delete");
  await expect(dialog.getByText(/It is production/)).toBeVisible();
  await page.keyboard.press("Escape");
  await act(2, "Delete");
  await expect(dialog.getByText(/This frees/)).toBeVisible();
  await expect(dialog.getByText(/where .* v3 came from/)).toBeVisible();
  await dialog.getByRole("textbox").fill("version 2");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("link", { name: "Version 2", exact: true })).toBeHidden();
  expect((await versions()).map((v: any) => v.number)).toEqual([3, 1]);

  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByLabel("Everybody with an account may read it").click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "data-settings");
  await page.goto("/data");
  await hydrated(page);
  await page.getByLabel("Search datasets").fill("forest");
  await expect(page.getByRole("link", { name })).toBeVisible();
  await shots(page, "data-list");
});

test("somebody else sees what they may, and files come in by hand", async ({ limn, admin, page, signIn }) => {
  const api = limn.api(admin.token);
  const dataset = await api.post("/api/v1/datasets", { name: unique("By hand"), kind: "files" });
  await signIn(page, admin);
  await page.goto(`/data/${dataset.id}`);
  await hydrated(page);
  await page.getByRole("button", { name: "Register a version", exact: true }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.locator("input[type=file]").setInputFiles([
    { name: "one.csv", mimeType: "text/csv", buffer: Buffer.from("a,b\n1,2\n") },
    { name: "two.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(2000, 7) },
  ]);
  await dialog.getByRole("button", { name: "Register", exact: true }).click();
  await expect(dialog.getByText("Version 1 holds 2 files.")).toBeVisible({ timeout: 30_000 });
  await dialog.getByRole("button", { name: "Done" }).click();
  await page.goto(`/data/${dataset.id}/files`);
  await hydrated(page);
  await page.getByLabel("View").selectOption("folders");
  await expect(page.getByRole("link", { name: "one.csv" })).toBeVisible();

  const otto = limn.createUser(`otto${Date.now()}@example.org`, "labeler");
  const [version] = await api.get(`/api/v1/datasets/${dataset.id}/versions`);
  const his = limn.api(otto.token);
  expect((await his.raw("GET", `/api/v1/versions/${version.id}/zip`)).status).toBe(404);
  expect((await his.get("/api/v1/datasets")).rows.map((d: any) => d.id)).not.toContain(dataset.id);
  await api.patch(`/api/v1/datasets/${dataset.id}`, { visibility: "studio" });
  expect((await his.get(`/api/v1/versions/${version.id}/entries`)).rows.map((e: any) => e.path)).toEqual(["one.csv", "two.bin"]);
  const part = await fetch(`${limn.baseURL}/api/v1/versions/${version.id}/file?path=one.csv`, {
    headers: { authorization: `Bearer ${otto.token}`, range: "bytes=4-6" },
  });
  expect([part.status, await part.text()]).toEqual([206, "1,2"]);
  expect((await his.raw("PATCH", `/api/v1/datasets/${dataset.id}`, { licence: "MIT" })).status).toBe(403);
});

test("the command line registers, lists, compares, exports and downloads", async ({ limn, admin }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("By command"), { items: 3 });
  await label(api, project.id, project.categories[0].id, 0);
  const name = unique("Command");
  const cli = (...args: string[]) => limn.cli(["dataset", ...args], admin.token);
  cli("register", "--dataset", name, "--project", project.name);
  await label(api, project.id, project.categories[0].id, 1);
  cli("register", "--dataset", name, "--project", project.name, "--note", "one more");
  const again = cli("register", "--dataset", name, "--project", project.name);
  expect(String(again)).toContain("(unchanged)");
  expect(String(cli("list"))).toContain(name);
  const versions = JSON.parse(String(cli("versions", "--dataset", name, "--json")));
  expect(versions.map((v: any) => [v.number, v.files, v.note])).toEqual([[2, 2, "one more"], [1, 1, ""]]);
  expect(String(cli("diff", "--dataset", name, "--from", "1", "--files"))).toContain("added\tphoto 2.png");
  const out = join(limn.dataDir, "coco.json");
  cli("export", "--dataset", name, "--version", versions[1].digest, "--out", out);
  expect(JSON.parse(readFileSync(out, "utf8")).images.map((i: any) => i.file_name)).toEqual(["photo 1.png"]);
  const folder = join(limn.dataDir, "files");
  cli("download", "--dataset", name, "--out", folder);
  expect(readdirSync(folder).sort()).toEqual(["photo 1.png", "photo 2.png"]);
  expect(String(cli("download", "--dataset", name, "--out", folder))).toContain("2 there already");
  expect(readdirSync(folder).sort()).toEqual(["photo 1.png", "photo 2.png"]);

  // Many small files come as one archive, and are files all the same; what is missing afterwards comes by itself.
  const from = join(limn.storesDir, unique("notes").replace(/ /g, "-"));
  const text = (n: number) => `note ${n}\n`.repeat(n % 7);
  for (let n = 0; n < 150; n++) {
    mkdirSync(join(from, `p${n % 3}`), { recursive: true });
    writeFileSync(join(from, `p${n % 3}/n\u00f6te ${n}.txt`), text(n));
  }
  const notes = unique("Notes");
  limn.cli(["datastore", "add", "--name", notes, "--kind", "folder", "--set", `path=${from}`], admin.token);
  cli("register", "--dataset", notes, "--kind", "files", "--datastore", notes);
  const many = join(limn.dataDir, "many");
  expect(String(cli("download", "--dataset", notes, "--out", many))).toContain("150 files fetched, 0 there already");
  for (let n = 0; n < 150; n++) expect(readFileSync(join(many, `p${n % 3}/n\u00f6te ${n}.txt`), "utf8")).toBe(text(n));
  rmSync(join(many, "p0/n\u00f6te 9.txt"));
  expect(String(cli("download", "--dataset", notes, "--out", many))).toContain("1 files fetched, 149 there already");
});
