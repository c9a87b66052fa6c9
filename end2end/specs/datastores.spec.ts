import { createServer, type Server } from "node:http";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, hydrated, test, unique } from "../fixtures";
import { makeProject, png } from "../pages/data";

// A toast that is just appearing is too pale for a moment.
const toasts = { exclude: [".toast"] };

/** A web folder that asks for a password, as nginx lists one. */
async function webFolder(files: Map<string, Buffer>, password: () => string): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const wanted = `Basic ${Buffer.from(`limn:${password()}`).toString("base64")}`;
    if (request.headers.authorization !== wanted) return response.writeHead(401).end();
    const path = decodeURIComponent(request.url ?? "/");
    const file = files.get(path);
    if (file) return response.writeHead(200, { etag: `"${file.length}"`, "content-length": file.length }).end(request.method === "HEAD" ? undefined : file);
    if (!path.endsWith("/")) return response.writeHead(404).end();
    const names = [...files.keys()].filter((f) => f.startsWith(path)).map((f) => f.slice(path.length).replace(/\/.*/, "/"));
    const links = [...new Set(names)].map((n) => `<a href="${encodeURI(n)}">${n}</a>`).join("\n");
    response.writeHead(200, { "content-type": "text/html" }).end(`<html><body><h1>Index of ${path}</h1>${links}</body></html>`);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

// Wrong settings and a password that has changed are refused on purpose.
test.use({ allowErrors: [/422 \(Unprocessable Entity\)/] });

test("a folder is connected, looked into, taken into a project, and followed", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const folder = join(limn.storesDir, unique("photos").replace(/ /g, "-"));
  mkdirSync(join(folder, "street"), { recursive: true });
  for (let n = 0; n < 5; n++) writeFileSync(join(folder, `street/${n}.png`), png(n));
  writeFileSync(join(folder, "table.csv"), "city,people\nUlm,126000\n\"Bad, Urach\",12000\n");
  writeFileSync(join(folder, "read me.md"), "# Street photos\n");
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Street"), { items: 0 });
  await signIn(page, admin);

  await page.goto("/datastores");
  await hydrated(page);
  await a11y(page, toasts);
  await page.getByRole("link", { name: "Connect a datastore" }).first().click();
  await page.getByRole("button", { name: /Folder on the server/ }).waitFor();
  await a11y(page, toasts);
  await shots(page, "datastores-kinds");
  await page.getByRole("button", { name: /Folder on the server/ }).click();
  const name = unique("Photos");
  await page.getByLabel("Name", { exact: true }).fill(name);
  // A folder that is not open to datastores is a wrong field.
  await page.getByLabel("Folder", { exact: true }).fill("/etc");
  await page.getByRole("button", { name: "Test the connection" }).click();
  await expect(page.getByText(/`\/etc` is not below/).first()).toBeVisible();
  await page.getByLabel("Folder", { exact: true }).fill(folder);
  await page.getByRole("button", { name: "Test the connection" }).click();
  await expect(page.getByText(/The connection works: 3 entries/)).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "datastores-form");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.waitForURL(/\/datastores\/[0-9a-f-]{36}$/);
  const id = /datastores\/([0-9a-f-]{36})/.exec(page.url())![1];

  // Folders, a table, a picture.
  await page.getByRole("button", { name: /table\.csv/ }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("cell", { name: "Bad, Urach" })).toBeVisible();
  await a11y(page, toasts);
  await shots(page, "datastores-table");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "street", exact: true }).click();
  await page.getByRole("button", { name: /^2\.png/ }).click();
  await expect(dialog.getByText("480 x 360 pixels")).toBeVisible();
  await expect(dialog.getByRole("img", { name: "2.png" })).toHaveJSProperty("complete", true);
  await shots(page, "datastores-picture");
  await page.keyboard.press("Escape");
  await shots(page, "datastores-page");

  // Into the project.
  await page.goto(`/projects/${project.id}/sources`);
  await hydrated(page);
  await a11y(page, toasts);
  await shots(page, "sources-empty");
  await page.getByRole("button", { name: "Add a source" }).click();
  await dialog.getByLabel("Datastore").selectOption(id);
  await dialog.getByLabel("Which files").fill("street/**");
  await dialog.getByLabel("Look for new files").selectOption("60");
  await shots(page, "sources-add");
  await dialog.getByRole("button", { name: "Add and read" }).click();
  await expect(page.getByText(/The last refresh saw 5 files: 5 new, 0 as before/)).toBeVisible({ timeout: 30_000 });

  // Ten come, one changes, one goes.
  for (let n = 5; n < 15; n++) writeFileSync(join(folder, `street/${n}.png`), png(n));
  writeFileSync(join(folder, "street/0.png"), png(99));
  rmSync(join(folder, "street/1.png"));
  await page.getByRole("button", { name: "Refresh", exact: true }).click();
  await expect(page.getByText(/saw 14 files: 10 new, 3 as before, 1 changed, 1 vanished/)).toBeVisible({ timeout: 30_000 });
  await a11y(page, toasts);
  await shots(page, "sources-after");
  expect((await api.get(`/api/v1/projects/${project.id}`)).progress.total).toBe(15);
  await page.getByRole("link", { name: "Newest refresh" }).click();
  await expect(page.getByText("street/1.png").first()).toBeVisible();
  await shots(page, "sources-report");

  // In use: not deleted by accident.
  await page.goto(`/datastores/${id}`);
  await hydrated(page);
  await expect(page.getByRole("link", { name: project.name })).toBeVisible();
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(dialog.getByRole("button", { name: "Delete" })).toBeDisabled();
  await dialog.getByLabel("Delete it all the same").check();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.waitForURL(/\/datastores$/);
  expect((await api.get(`/api/v1/projects/${project.id}`)).progress.total).toBe(15);
});

test("an SFTP server is asked for by password or key, and mistakes are said", async ({ admin, page, signIn, a11y, shots }) => {
  await signIn(page, admin);
  await page.goto("/datastores/new");
  await hydrated(page);
  await page.getByRole("button", { name: /SFTP/ }).click();
  await page.getByLabel("Name", { exact: true }).fill(unique("Far"));
  await page.getByLabel("Host", { exact: true }).fill("sftp://127.0.0.1");
  await page.getByLabel(/^Port/).fill("9");
  await page.getByLabel("User name", { exact: true }).fill("limn");
  const tried = page.getByRole("button", { name: "Test the connection" });
  await tried.click();
  await expect(page.getByText(/`sftp:\/\/127.0.0.1` is no host/).first()).toBeVisible();
  await page.getByLabel("Host", { exact: true }).fill("127.0.0.1");
  await page.getByLabel(/^Private key/).fill("-----BEGIN nonsense-----");
  await tried.click();
  await expect(page.getByText(/The private key cannot be read/).first()).toBeVisible();
  await page.getByLabel(/^Private key/).fill("");
  await page.getByLabel(/^Password/).fill("hunter2");
  await page.getByLabel(/^Host key/).fill("SHA256:abc");
  await tried.click();
  await expect(page.getByText(/This is no fingerprint/).first()).toBeVisible();
  await page.getByLabel(/^Host key/).fill("");
  await tried.click();
  await expect(page.getByText(/`127.0.0.1` does not take connections at port 9/)).toBeVisible({ timeout: 15_000 });
  await a11y(page, toasts);
  await shots(page, "datastores-sftp");
});

test("SQL Server and a Data Lake have fields of their own, and mistakes are said", async ({ admin, page, signIn, a11y, shots }) => {
  await signIn(page, admin);
  await page.goto("/datastores/new");
  await hydrated(page);
  await page.getByRole("button", { name: /SQL Server/ }).click();
  await page.getByLabel("Name", { exact: true }).fill(unique("Warehouse"));
  await page.getByLabel("Host", { exact: true }).fill("db\\SQLEXPRESS");
  await page.getByLabel(/^Port/).fill("9");
  await page.getByLabel("Database", { exact: true }).fill("street");
  await page.getByLabel("User name", { exact: true }).fill("limn");
  await page.getByLabel(/^Password/).fill("hunter2");
  const tried = page.getByRole("button", { name: "Test the connection" });
  await tried.click();
  await expect(page.getByText(/An instance is reached by its port/).first()).toBeVisible();
  await page.getByLabel("Host", { exact: true }).fill("127.0.0.1");
  await tried.click();
  await expect(page.getByText(/`127.0.0.1` does not take connections at port 9/)).toBeVisible({ timeout: 15_000 });
  await a11y(page, toasts);
  await shots(page, "datastores-sql-server");
  await page.getByRole("button", { name: "Another kind" }).click();
  await page.getByRole("button", { name: /Azure Data Lake Gen2/ }).click();
  await page.getByLabel("Storage account", { exact: true }).fill("street");
  await page.getByLabel("File system", { exact: true }).fill("photos");
  await page.getByLabel(/^Endpoint/).fill("http://169.254.169.254");
  await tried.click();
  await expect(page.getByText(/A file system is never public/).first()).toBeVisible();
  await page.getByLabel(/^SAS token/).fill("sv=1&sig=hunter2");
  await tried.click();
  await expect(page.getByText(/the metadata service of a cloud/)).toBeVisible();
  await expect(page.getByRole("status").getByText(/hunter2/)).toHaveCount(0);
  await shots(page, "datastores-data-lake");
});

test("a password is kept, rotated, and never shown; a dataset is made of a web folder", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  let password = "hunter2-in-the-page";
  const files = new Map([...Array(4).keys()].map((n) => [`/set/${n}.png`, png(n + 40)]));
  const { url, server } = await webFolder(files, () => password);
  try {
    const api = limn.api(admin.token);
    await signIn(page, admin);
    await page.goto("/datastores/new");
    await hydrated(page);
    await page.getByRole("button", { name: /Web folder/ }).click();
    const name = unique("Web");
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Address").fill(`${url}set/`);
    await page.getByLabel(/^User name/).fill("limn");
    await page.getByLabel(/^Password/).fill("wrong");
    await page.getByRole("button", { name: "Test the connection" }).click();
    await expect(page.getByText(/does not accept this user name and password/)).toBeVisible();
    await page.getByLabel(/^Password/).fill(password);
    await page.getByRole("button", { name: "Connect", exact: true }).click();
    await page.waitForURL(/\/datastores\/[0-9a-f-]{36}$/);
    await expect(page.getByText("set, kept encrypted")).toBeVisible();
    expect(await page.content()).not.toContain(password);
    const store = (await api.get("/api/v1/datastores")).find((s: any) => s.name === name);
    expect(JSON.stringify(store)).not.toContain("hunter2");

    // The other side changes it.
    password = "hunter3-in-the-page";
    await page.getByRole("button", { name: "Test", exact: true }).click();
    await expect(page.getByText("Failing")).toBeVisible();
    await page.getByRole("button", { name: "Rotate credentials" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel(/^Password/).fill(password);
    await shots(page, "datastores-rotate");
    await dialog.getByRole("button", { name: "Test and use" }).click();
    await expect(page.getByText("Works", { exact: true })).toBeVisible();

    await page.goto("/data/new");
    await hydrated(page);
    await page.getByLabel("Name", { exact: true }).fill(unique("Of the web"));
    await page.getByText("A datastore", { exact: true }).click();
    await page.getByLabel("Datastore", { exact: true }).selectOption(store.id);
    await shots(page, "data-new-datastore");
    await page.getByRole("button", { name: "Create and register" }).click();
    await page.waitForURL(/\/data\/[0-9a-f-]{36}$/, { timeout: 30_000 });
    const dataset = /data\/([0-9a-f-]{36})/.exec(page.url())![1];
    const [version] = await api.get(`/api/v1/datasets/${dataset}/versions`);
    expect(version.files).toBe(4);

    // Left where they are, and looked after there. What is in the store already would not need to be.
    for (let n = 0; n < 4; n++) files.set(`/set/${n}.png`, png(n + 60));
    await page.goto("/data/new");
    await hydrated(page);
    await page.getByLabel("Name", { exact: true }).fill(unique("Left there"));
    await page.getByText("A datastore", { exact: true }).click();
    await page.getByLabel("Datastore", { exact: true }).selectOption(store.id);
    await page.getByText("Leave them where they are", { exact: true }).click();
    await page.getByLabel(/^Which files/).fill("?.png");
    await page.getByRole("button", { name: "Create and register" }).click();
    await page.waitForURL(/\/data\/[0-9a-f-]{36}$/, { timeout: 30_000 });
    await page.getByRole("button", { name: "Actions of version 1" }).click();
    await page.getByRole("menuitem", { name: "Where its files lie" }).click();
    const places = page.getByRole("dialog");
    await expect(places.getByText(name)).toBeVisible();
    await places.getByRole("button", { name: "Check the files" }).click();
    await expect(places.getByText("All 4 files are what they were.")).toBeVisible({ timeout: 30_000 });
    files.set("/set/2.png", Buffer.concat([png(90), Buffer.from("more")]));
    await places.getByRole("button", { name: "Check the files" }).click();
    await expect(places.getByText("Of 4 files, 1 changed, 0 are gone, 0 not read.")).toBeVisible({ timeout: 30_000 });
    await expect(places.getByText("2.png", { exact: true })).toBeVisible();
    await a11y(page, toasts);
    await shots(page, "data-places");
    await places.getByRole("button", { name: "Close" }).last().click();

    await page.goto("/datastores");
    await hydrated(page);
    await shots(page, "datastores-list");
  } finally {
    server.close();
  }
});
