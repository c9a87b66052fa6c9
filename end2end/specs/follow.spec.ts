import { expect, hydrated, test, unique } from "../fixtures";
import { finished, makeProject, png } from "../pages/data";

// A toast that is just appearing is too pale for a moment.
const toasts = { exclude: [".toast"] };

test("a project follows a dataset from version to version", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const api = limn.api(admin.token);
  const made = await makeProject(api, unique("Origin"), { items: 4 });
  const dataset = await api.post("/api/v1/datasets", { name: unique("Followed"), kind: "images" });
  const register = async () =>
    finished(api, await api.post(`/api/v1/datasets/${dataset.id}/versions`, { from: "project", project_id: made.id, statuses: ["todo", "done"] }));
  await register();
  const project = await makeProject(api, unique("Follower"), { items: 0 });
  await signIn(page, admin);

  await page.goto(`/projects/${project.id}/sources`);
  await hydrated(page);
  await page.getByRole("button", { name: "Add a source" }).click();
  const dialog = page.getByRole("dialog");
  // Other tests may have connected datastores.
  await dialog.getByRole("button", { name: "Add and read" }).waitFor();
  const from = dialog.getByLabel("Take from");
  if (await from.isVisible()) await from.selectOption("dataset");
  await dialog.getByLabel("Dataset", { exact: true }).selectOption(dataset.id);
  await expect(dialog.getByLabel("Version")).toHaveValue("latest");
  await dialog.getByLabel("Look for new files").selectOption("60");
  await a11y(page, toasts);
  await shots(page, "sources-add-dataset");

  // Every refresh is as quick as one can be: the list read right after the button still has it waiting, and no look of the
  // shell finds it running.
  let early = true;
  await page.route("**/ui/pulse/jobs", (route) => route.fulfill({ json: [] }));
  await page.route("**/ui/source/list", async (route) => {
    const waiting = early ? { job_state: "queued", files: 0, last: null, last_at: null } : {};
    early = false;
    const response = await route.fetch();
    const rows = await response.json();
    await route.fulfill({ response, json: rows.map((row: any) => ({ ...row, ...waiting })) });
  });
  await dialog.getByRole("button", { name: "Add and read" }).click();
  await expect(page.getByText(/The last refresh saw 4 files: 4 new, 0 as before/)).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText("Version 1 is taken")).toBeVisible();
  // The project's own figures follow as well.
  await expect(page.getByRole("link", { name: /^Items\s*4$/ })).toBeVisible();

  const added = await api.raw("POST", `/api/v1/projects/${made.id}/items?name=new.png`, new Uint8Array(png(77)));
  expect(added.ok).toBe(true);
  await register();
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await page.route("**/ui/pulse/job", async (route) => {
    await held;
    await route.continue();
  });
  early = true;
  const card = page.getByRole("listitem").filter({ has: page.getByRole("link", { name: "Newest refresh" }) });
  await card.getByRole("button", { name: "Refresh", exact: true }).click();
  await expect(card.getByText("Queued", { exact: true })).toBeVisible();
  // What is open on the card stays open when the figures come.
  await card.getByRole("button", { name: "More actions" }).click();
  await expect(page.getByRole("menuitem", { name: "Remove" })).toBeVisible();
  answer();
  await expect(card.getByText(/saw 5 files: 1 new, 4 as before/)).toBeVisible({ timeout: 30_000 });
  await expect(card.getByText("Version 2 is taken")).toBeVisible();
  await expect(card.getByText("Queued", { exact: true })).toBeHidden();
  await expect(page.getByRole("menuitem", { name: "Remove" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.unrouteAll({ behavior: "wait" });
  await a11y(page, toasts);
  expect((await api.get(`/api/v1/projects/${project.id}`)).progress.total).toBe(5);

  // In use: not deleted by accident.
  await page.goto(`/data/${dataset.id}/settings`);
  await hydrated(page);
  const button = page.getByRole("button", { name: "Delete the dataset" });
  await expect(button).toBeDisabled();
  await page.getByLabel("Delete it all the same").check();
  await expect(button).toBeEnabled();
  await shots(page, "dataset-followed");
});
